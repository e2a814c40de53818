// A delta leads from one snapshot to the next, whatever changed, came, went or moved.
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { applyDelta, diffSnapshots } from '../../native-probe/analysis/diff';
import type { Gap, Snapshot } from '../../native-probe/model';

const snapshot = (gaps: readonly Gap[]): Snapshot => ({
  version: 1, takenAt: '2026-01-01T00:00:00.000Z', host: { hostname: 'h', kernel: 'k', architecture: 'x64', uid: 0, pid: 1, ipcNamespace: '1', pidNamespace: '1', bootedAt: '2026-01-01T00:00:00.000Z' },
  processes: [], objects: [], handles: [], waits: [], findings: [], gaps,
});
const gap = (id: number, reason: string): Gap => ({ id: String(id), scope: { pid: id, ...(reason === 'a' ? { field: 'x' } : {}) }, reason });
const gaps = fc.uniqueArray(fc.tuple(fc.nat(300), fc.constantFrom('a', 'b', 'c')), { selector: ([id]) => id, maxLength: 200 }).map(list => list.map(([id, reason]) => gap(id, reason)));
const sorted = (list: readonly Gap[]): Gap[] => [...list].sort((a, b) => a.id.localeCompare(b.id));

describe('a delta', () => {
  it('property: applied to the older snapshot it gives the newer one', () => {
    fc.assert(fc.property(gaps, gaps, (before, after) => {
      const delta = diffSnapshots(snapshot(before), snapshot(after));
      assert.deepEqual(sorted(applyDelta(snapshot(before), delta).gaps), sorted(after));
    }), { numRuns: 500 });
  });
  it('property: holds no more than what changed', () => {
    fc.assert(fc.property(gaps, gaps, (before, after) => {
      const { put, gone } = diffSnapshots(snapshot(before), snapshot(after)).gaps;
      const [old, now] = [new Map(before.map(it => [it.id, JSON.stringify(it)])), new Map(after.map(it => [it.id, JSON.stringify(it)]))];
      assert.deepEqual(put.map(({ id }) => id).sort(), [...now].filter(([id, text]) => old.get(id) !== text).map(([id]) => id).sort());
      assert.deepEqual([...gone].sort(), [...old.keys()].filter(id => !now.has(id)).sort());
    }), { numRuns: 500 });
  });
  it('is empty for the same, and for the same in another order', () => {
    const list = Array.from({ length: 100 }, (_, id) => gap(id, 'a'));
    for (const other of [structuredClone(list), structuredClone(list).reverse()]) assert.deepEqual(diffSnapshots(snapshot(list), snapshot(other)).gaps, { put: [], gone: [] });
  });
  it('tells a field that is there and undefined from none as little as JSON does', () => {
    const { put } = diffSnapshots(snapshot([{ ...gap(1, 'b'), errno: undefined }]), snapshot([gap(1, 'b')])).gaps;
    assert.deepEqual(put, []);
  });
});
