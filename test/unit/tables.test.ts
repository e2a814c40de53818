// The tables of the command line.
import { strict as assert } from 'node:assert';
import type { Gap } from '../../native-probe/model';
import { formatSnapshot } from '../../native-probe/tables';
import { aSnapshot } from './snapshots';

const gaps: readonly Gap[] = [
  { id: 'a', scope: { pid: 1, facility: 'processes', field: 'fd' }, reason: 'cannot read the descriptors of pid 1 (init): permission denied (EACCES)', errno: 'EACCES', remedy: 'run the probe as root' },
  { id: 'b', scope: { pid: 2, facility: 'processes', field: 'fd' }, reason: 'cannot read the descriptors of pid 2 (sshd): permission denied (EACCES)', errno: 'EACCES', remedy: 'run the probe as root' },
  { id: 'c', scope: { facility: 'pipe', field: 'unread' }, reason: 'how full pipes are' },
  { id: 'd', scope: { objectId: 'sysv-semaphore-set:1:7', field: 'sems' }, reason: 'cannot read the values of semaphore set 7', errno: 'EACCES' },
  { id: 'e', scope: { objectId: 'sysv-semaphore-set:1:8', field: 'sems' }, reason: 'cannot read the values of semaphore set 8', errno: 'EACCES' },
  { id: 'f', scope: { pid: 9, facility: 'waits', field: 'signals' }, reason: 'pid 9 catches SIGALRM' },
];
const unseen = (kinds?: Parameters<typeof formatSnapshot>[1]): string[] => {
  return formatSnapshot(aSnapshot({ gaps }), kinds).split('\n').slice(3);
};

describe('the table of a snapshot', () => {
  it('names what was not seen once for each cause, and leaves what waits rest on to their own verb', () => {
    assert.deepEqual(unseen(), [
      '  cannot read the descriptors of pid 1 (init): permission denied (EACCES) (and 1 more process); run the probe as root',
      '  how full pipes are',
      '  cannot read the values of semaphore set 7 (and 1 more like this)',
    ]);
  });

  it('of some kinds names only what concerns these, and what all rest on', () => {
    assert.deepEqual(unseen(['pipe']).map(line => line.trim().split(' ', 3).join(' ')), ['cannot read the', 'how full pipes']);
    assert.deepEqual(unseen(['eventfd']).length, 1);
  });
});
