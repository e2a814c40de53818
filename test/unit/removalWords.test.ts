import { strict as assert } from 'node:assert';
import type { IpcObject, StaleJudgement } from '../../native-probe/model';
import { candidatesOf, confirmation, failures, refusal, removalOf, staleChoices } from '../../extension/words/removalWords';
import type { Candidate } from '../../extension/words/removalWords';
import { bytes, bytesExactly, ago, inMessage, inQuickPick, permissions, visible } from '../../extension/words/presentation';
import { parsePasswd } from '../../extension/words/userNames';
import { aQueue, aSegment, aSemaphore, aSnapshot } from './snapshots';

const judged = (object: IpcObject, verdict: StaleJudgement['verdict'], ...evidence: string[]): Candidate => ({ object, judgement: { objectId: object.id, verdict, evidence } });

describe('before a removal', () => {
  it('the question names the object and what is lost, and that it can be undone', () => {
    const { message, detail } = confirmation([judged(aSegment(7), 'stale', 'nattch is 0')]);
    assert.equal(message, 'Remove System V shared memory segment shmid 7?');
    assert.match(detail, /loses 4 KiB \(4096 bytes\) of shared memory/);
    assert.match(detail, /can be undone/);
  });

  it('an object of a container is asked about, refused and listed with the container\'s name', () => {
    const host = { ...aSnapshot().host, ipcNamespace: '1', namespaceNames: { 99: ['docker 0123456789ab'] } };
    const [here, there] = [aSegment(5, { namespace: '1' }), aSegment(5, { id: 'sysv-shared-memory:99:5', namespace: '99' })];
    const result = { snapshot: aSnapshot({ host, objects: [here, there] }), stale: [here, there].map(it => judged(it, 'stale', 'nobody').judgement) };
    const [own, contained] = candidatesOf(result);
    assert.ok(own && contained);
    assert.equal(confirmation([own]).message, 'Remove System V shared memory segment shmid 5?');
    assert.equal(confirmation([contained]).message, 'Remove System V shared memory segment shmid 5 in docker 0123456789ab?');
    assert.match(confirmation([own, contained]).detail, /shmid 5: .*\n.*shmid 5 in docker 0123456789ab: /);
    assert.match(refusal([contained]).message, /shmid 5 in docker 0123456789ab is in use/);
    assert.deepEqual(staleChoices(result).stale.map(it => it.label), ['System V shared memory segment shmid 5', 'System V shared memory segment shmid 5 in docker 0123456789ab']);
  });

  it('the question says that a queue cannot be brought back, how many messages it holds, and why it may be needed', () => {
    const { detail } = confirmation([judged(aQueue(3, '2', '40'), 'possibly-stale', 'PID 8 may use it')]);
    assert.match(detail, /2 messages, 40 bytes/);
    assert.match(detail, /cannot be undone/);
    assert.match(detail, /may still be needed:\nPID 8 may use it/);
  });

  it('unknown contents are said to be unknown', () => {
    assert.match(confirmation([judged(aSemaphore('/x', null), 'stale')]).detail, /its value \(unknown\)/);
  });

  it('the question about 10,000 objects is still one that fits a screen', () => {
    const { message, detail } = confirmation(Array.from({ length: 10_000 }, (_, i) => judged(aSegment(i), 'possibly-stale', 'x'.repeat(1000))));
    assert.match(message, /10000/);
    assert.ok(detail.length < 3_000, String(detail.length));
    assert.match(detail, /and 9985 more/);
  });

  it('the choices are stale first and only those preselected; nothing in use is offered', () => {
    const [a, b, c] = [aSegment(1), aSegment(2), aSegment(3)];
    const { stale, possibly } = staleChoices({ snapshot: aSnapshot({ objects: [a, b, c] }), stale: [judged(a, 'possibly-stale', 'denied').judgement, judged(b, 'in-use').judgement, judged(c, 'stale', 'nobody').judgement] });
    assert.deepEqual(stale.map(it => [it.label, it.picked]), [['System V shared memory segment shmid 3', true]]);
    assert.deepEqual(possibly.map(it => [it.label, it.picked, it.detail]), [['System V shared memory segment shmid 1', false, 'denied']]);
  });

  it('a refusal tells who uses the object', () => {
    assert.deepEqual(refusal([judged(aSegment(1), 'in-use', 'nattch is 2', 'attached by PID 5')]), { message: 'System V shared memory segment shmid 1 is in use and is not removed.', detail: 'nattch is 2\nattached by PID 5' });
  });

  it('objects that vanished since they were judged are no candidates', () => {
    assert.deepEqual(candidatesOf({ snapshot: aSnapshot(), stale: [judged(aSegment(1), 'stale').judgement] }), []);
  });

  it('the probe is told which object was seen, and which the user took although it is only possibly stale', () => {
    const [a, b] = [aSegment(1), aSegment(2, { changedAt: '2026-02-02T00:00:00.000Z' })];
    assert.deepEqual(removalOf([judged(a, 'stale'), judged(b, 'possibly-stale')]), {
      ids: [a.id, b.id], acceptPossiblyStale: [b.id], expected: { [a.id]: { changedAt: '2026-01-01T00:00:00.000Z' }, [b.id]: { changedAt: '2026-02-02T00:00:00.000Z' } },
    });
  });

  it('many failures are three and a number', () => {
    const objects = new Map([[aSegment(1).id, aSegment(1)]]);
    const failed = Array.from({ length: 5 }, (_, i) => ({ objectId: aSegment(i + 1).id, error: 'operation not permitted' }));
    assert.match(failures(failed, objects), /^System V shared memory segment shmid 1: operation not permitted; sysv.*… and 2 more$/);
  });
});

describe('text', () => {
  it('sizes are for people, and exact where asked', () => {
    assert.deepEqual(['0', '1', '1023', '1024', '1536', '1048575', '1073741824', '18446744073709551615'].map(it => bytes(it)), ['0 bytes', '1 byte', '1023 bytes', '1 KiB', '1.5 KiB', '1 MiB', '1 GiB', '16 EiB']);
    assert.equal(bytesExactly('4097'), '4 KiB (4097 bytes)');
    assert.equal(bytes(null), 'unknown');
  });

  it('times are in words', () => {
    const now = Date.parse('2026-01-02T00:00:00Z');
    assert.deepEqual(['2026-01-01T23:59:59Z', '2026-01-01T23:59:30Z', '2026-01-01T23:59:00Z', '2026-01-01T22:00:00Z', '2026-01-01T00:00:00Z', '2025-12-01T00:00:00Z'].map(it => ago(it, now)), ['just now', '30 seconds ago', '1 minute ago', '2 hours ago', '1 day ago', '32 days ago']);
  });

  it('permissions are as ls(1) writes them', () => {
    assert.deepEqual(['0640', '0777', '0000', '01666'].map(permissions), ['rw-r-----', 'rwxrwxrwx', '---------', 'rw-rw-rw-']);
  });

  it('names have no invisible characters, no icons in a quick pick, and no links in a notification', () => {
    assert.equal(visible('a\u202eb\u0000\n'), 'a\\u{202e}b\\u{0}\\u{a}');
    assert.equal([...visible('x'.repeat(5000))].length, 200);
    assert.equal(inQuickPick('$(bug) $(sync~spin) $5'), '\\$(bug) \\$(sync~spin) $5');
    assert.equal(inMessage('[click](command:evil)'), '[click] (command:evil)');
  });

  it('user names are those of passwd(5), the first of a uid', () => {
    assert.deepEqual([...parsePasswd('root:x:0:0::/:/bin/sh\ntoor:x:0:0::/:/bin/sh\n\nbroken\n+nis:x:::\nalice:x:1000:1000::/:/bin/sh\n')], [[0, 'root'], [1000, 'alice']]);
  });
});
