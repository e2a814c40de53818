// /proc/locks with leases that are being broken, when locks conflict, what a shared mapping is, and the signal lines of a status.
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import type { LockedRange } from '../../native-probe/kernel/fileLocks';
import { conflicts, parseDescriptorLocks, parseLocks } from '../../native-probe/kernel/fileLocks';
import { deviceNumber, parseMapsLine, parseSignalMasks, parseStatus } from '../../native-probe/kernel/procfs';
import { mappingId, mappingKind, mappingsOf } from '../../native-probe/facilities/sharedMapping';
import type { MappingKind } from '../../native-probe/facilities/sharedMapping';
import type { ScannedProcess } from '../../native-probe/processes';

describe('/proc/locks with leases', () => {
  const text = [
    '1: LEASE  BREAKING  READ 19129 fe:00:2179936 0 EOF', '1: -> LEASE  BREAKER   READ 19172 <none>:0 0 EOF',
    '2: LEASE  BREAKING  UNLCK 19129 fe:00:2179935 0 EOF', '2: -> LEASE  BREAKER   WRITE 19173 <none>:0 0 EOF',
    '3: LEASE  ACTIVE    WRITE 7 fe:00:1 0 EOF', '',
  ].join('\n');
  it('gives a breaker, who has no file yet, the file of the lease it stands under', () => {
    assert.deepEqual(parseLocks(text).map(({ type, pid, inode, blocked, breaking }) => [type, pid, inode, blocked, breaking ?? false]), [
      ['read', 19129, '2179936', false, true], ['read', 19172, '2179936', true, false],
      ['unlock', 19129, '2179935', false, true], ['write', 19173, '2179935', true, false],
      ['write', 7, '1', false, false],
    ]);
  });
  it('a breaker under a line that is not understood belongs to nobody', () => {
    assert.deepEqual(parseLocks('1: LEASE  ACTIVE    READ 1 fe:00:1 0 EOF\n2: FUTURE what ever\n2: -> LEASE  BREAKER   READ 3 <none>:0 0 EOF\n').map(lock => lock.pid), [1]);
  });
  it('property: lines of any shape never throw, and what is parsed is whole', () => {
    const word = fc.constantFrom('1:', '->', 'LEASE', 'POSIX', 'ADVISORY', 'BREAKER', 'READ', 'WRITE', 'UNLCK', '-1', '42', 'fe:00:7', '<none>:0', '0', 'EOF', '99999999999999999999', '', '\t', 'ü');
    fc.assert(fc.property(fc.array(fc.array(word, { maxLength: 12 })), lines => {
      const parsed = parseLocks(lines.map(words => words.join(' ')).join('\n'));
      for (const lock of parsed) {
        assert.match(lock.file, /^[0-9a-f]+:[0-9a-f]+:\d+$/);
        assert.match(lock.end, /^(EOF|\d+)$/);
      }
    }));
    fc.assert(fc.property(fc.string({ unit: 'binary' }), any => { parseLocks(any); parseDescriptorLocks(`lock:${any}`); parseSignalMasks(any); parseStatus(any); }));
  });
});

describe('locks conflict', () => {
  const range = fc.record({ type: fc.constantFrom('read', 'write', null), start: fc.integer({ min: 0, max: 12 }), length: fc.option(fc.integer({ min: 1, max: 6 })) })
    .map(({ type, start, length }): LockedRange => ({ type, start: String(start), end: length === null ? 'EOF' : String(start + length - 1) }));
  const bytes = ({ start, end }: LockedRange): number[] => Array.from({ length: 30 }, (_, at) => at).filter(at => at >= Number(start) && (end === 'EOF' || at <= Number(end)));
  it('property: when they share a byte and not both read; whoever asks', () => {
    fc.assert(fc.property(range, range, (a, b) => {
      const share = bytes(a).some(at => bytes(b).includes(at));
      assert.equal(conflicts(a, b), share && !(a.type === 'read' && b.type === 'read'));
      assert.equal(conflicts(a, b), conflicts(b, a));
    }));
  });
  it('also beyond 2⁵³, where numbers would round', () => {
    const held = { type: 'write', start: '9007199254740993', end: '9007199254740993' };
    assert.equal(conflicts({ type: 'write', start: '9007199254740992', end: '9007199254740992' }, held), false);
    assert.equal(conflicts({ type: 'read', start: '0', end: 'EOF' }, held), true);
  });
});

describe('a shared mapping', () => {
  const kindOf = (line: string): MappingKind | undefined => {
    const mapping = parseMapsLine(line);
    assert(mapping, line);
    return mappingKind(mapping);
  };
  const at = '7f0000000000-7f0000001000 rw-s 00000000';
  it('is anonymous, a memfd, or of a file, by path and device', () => {
    assert.equal(kindOf(`${at} 00:01 77   /dev/zero (deleted)`), 'anonymous-shared-mapping');
    assert.equal(kindOf(`${at} 00:10 77   /anon_hugepage (deleted)`), 'anonymous-shared-mapping');
    assert.equal(kindOf(`${at} 00:01 77   /memfd:x\\012(deleted) (deleted)`), 'memfd');
    assert.equal(kindOf(`${at} fe:00 77   /srv/data`), 'shared-mapping');
    assert.equal(kindOf(`${at} 00:2f 77   /dev/hugepages/ring`), 'shared-mapping');
  });
  it('is none of ours for devices, pseudo files, System V, POSIX objects and drivers\' buffers', () => {
    for (const path of ['/dev/shm/x', '/dev/dri/card0', '/dev/zero', '/proc/bus/pci/0', '/sys/bus/pci/resource0', 'anon_inode:[perf_event]', 'socket:[4711]']) assert.equal(kindOf(`${at} 00:06 77   ${path}`), undefined, path);
    for (const path of ['/SYSV0000002a (deleted)', '/SYSV0000002a', '/drm mm object (deleted)']) assert.equal(kindOf(`${at} 00:01 77   ${path}`), undefined, path);
  });
  it('is a file\'s when somebody called a file so', () => {
    assert.equal(kindOf(`${at} fe:00 77   /memfd:x (deleted)`), 'shared-mapping');
    assert.equal(kindOf(`${at} fe:00 77   /SYSV0000002a`), 'shared-mapping');
    assert.equal(kindOf(`${at} fe:00 77   /home/dev/zero (deleted)`), 'shared-mapping');
  });
  it('in pieces that lie side by side has one handle; other access, a hole or another file begin a new one', () => {
    const lines = [
      '1000-2000 rw-s 00000000 fe:00 7   /a', '2000-3000 rw-s 00001000 fe:00 7   /a', '3000-4000 r--s 00002000 fe:00 7   /a',
      '4000-5000 r--s 00000000 fe:00 7   /a', '6000-7000 r--s 00001000 fe:00 7   /a', '7000-8000 r--s 00002000 fe:00 8   /b',
    ];
    const process = { pid: 1, sharedMappings: lines.map(line => parseMapsLine(line)) } as unknown as ScannedProcess;
    assert.deepEqual([...mappingsOf(process, new Set(['shared-mapping'] as const))].map(piece => piece.handle?.address), ['0x1000', undefined, '0x3000', '0x4000', '0x6000', '0x7000']);
    assert.equal(mappingId('memfd', { device: deviceNumber(0, 1), inode: '7' }), 'memfd:1:7');
  });
});

describe('the signal lines of a status', () => {
  const lines = 'SigQ:\t2/96364\nSigPnd:\t0000000000000200\nShdPnd:\t8000000000000000\nSigBlk:\t0000000400000200\nSigIgn:\t0000000000001000\nSigCgt:\t0000000000004000\n';
  it('are read whole, or not at all', () => {
    assert.deepEqual(parseSignalMasks(`Threads:\t1\n${lines}CapInh:\t0\n`), {
      queued: '2', limit: '96364', threadPending: '0000000000000200', processPending: '8000000000000000', blocked: '0000000400000200', ignored: '0000000000001000', caught: '0000000000004000',
    });
    assert.equal(parseSignalMasks(lines.replace('SigIgn', 'SigXyz')), undefined);
    assert.equal(parseStatus(`Name:\tx\nUid:\t7\t7\t7\t7\nGid:\t1\t1\t1\t1\n${lines}`)?.signals?.queued, '2');
  });
});
