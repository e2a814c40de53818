// The part of a snapshot that concerns some processes: files that everybody maps and nobody writes make no neighbours.
import { strict as assert } from 'node:assert';
import type { Handle, SharedMapping, Snapshot } from '../../native-probe/model';
import { focus } from '../../native-probe/analysis/focus';
import { aSnapshot } from './snapshots';

describe('a focus on processes', () => {
  const mapping = (id: string): SharedMapping => ({ id, kind: 'shared-mapping', persistence: 'file-system', name: `/${id}`, state: { path: `/${id}`, mapped: '4096' } });
  const mapped = (objectId: string, pid: number, access: 'read' | 'read-write'): Handle => ({ objectId, pid, via: 'mapping', address: '0x1000', access });
  const snapshot: Snapshot = {
    ...aSnapshot(), objects: [mapping('cache'), mapping('ring')], waits: [], findings: [], gaps: [],
    handles: [mapped('cache', 1, 'read'), mapped('cache', 2, 'read'), mapped('ring', 1, 'read'), mapped('ring', 3, 'read-write')],
  };
  it('follows a file that somebody maps for writing, and stays with the own mapping of one that is only read', () => {
    const focused = focus(snapshot, [1]);
    assert.deepEqual(focused.objects.map(({ id }) => id), ['cache', 'ring']);
    assert.deepEqual(focused.handles.map(({ objectId, pid }) => `${objectId} ${pid}`), ['cache 1', 'ring 1', 'ring 3']);
  });
});
