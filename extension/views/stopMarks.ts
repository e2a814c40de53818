// Marks in the debuggee's view what changed since the last stop: in words first, so that it is heard as well as seen. Pure.
import type { ObjectChange, StopChanges } from '../sessions/stopChanges';
import type { SnapshotIndex } from '../snapshotIndex';
import { l10n } from '../translation';
import { objectNode } from './ipcObjects';
import type { TreeNode } from './treeNode';

/** The nodes of the debuggee's processes with what changed marked, and what is gone added. */
export function markChanges(nodes: readonly TreeNode[], changes: StopChanges | undefined, index: SnapshotIndex): TreeNode[] {
  if (!changes) return [...nodes];
  return nodes.map(node => {
    const { pid } = node;
    if (pid === undefined) return node;
    if (changes.newPids.has(pid)) return { ...node, change: 'new', description: joined(l10n.t('new since the last stop'), node.description) };
    const its = changes.byPid.get(pid);
    if (!its) return node;
    const gone = [...its.values()].filter(({ what }) => what === 'gone');
    return {
      ...node, expansion: node.expansion === 'none' && gone.length > 0 ? 'expanded' : node.expansion,
      description: joined(node.description, l10n.t('since the last stop: {0}', counts([...its.values()]))),
      children: () => [...gone.map(change => goneNode(node.id, change, index)), ...(node.children?.() ?? []).map(child => marked(child, its))],
    };
  });
}

/** An object's node, or that of the group of further objects with the objects in it. */
function marked(node: TreeNode, changes: ReadonlyMap<string, ObjectChange>): TreeNode {
  const { objectId, children } = node;
  if (objectId === undefined) {
    if (!children) return node;
    const inside = children();
    const hit = inside.filter(child => child.objectId !== undefined && changes.has(child.objectId)).length;
    return hit === 0 ? node : { ...node, change: 'changed', description: joined(l10n.t('{0} changed', hit), node.description), children: () => inside.map(child => marked(child, changes)) };
  }
  const change = changes.get(objectId);
  if (!change || change.what === 'gone') return node;
  return { ...node, change: change.what, description: joined(change.words.join(', '), node.description) };
}

function goneNode(parent: string, { object, words }: ObjectChange, index: SnapshotIndex): TreeNode {
  const { label, tooltip } = objectNode(parent, object, index);
  return {
    id: `${parent}/gone:${object.id}`, label, description: words.join(', '), icon: 'circle-slash', color: 'gitDecoration.deletedResourceForeground', expansion: 'none', change: 'gone',
    ...(tooltip === undefined ? {} : { tooltip: () => `${l10n.t('As it was at the last stop.')}\n\n${tooltip()}` }),
  };
}

function counts(changes: readonly ObjectChange[]): string {
  const of = (what: ObjectChange['what']): number => changes.filter(change => change.what === what).length;
  const words: string[] = [];
  if (of('new') > 0) words.push(l10n.t('{0} new', of('new')));
  if (of('changed') > 0) words.push(l10n.t('{0} changed', of('changed')));
  if (of('gone') > 0) words.push(l10n.t('{0} gone', of('gone')));
  return words.join(', ');
}

function joined(...words: readonly (string | undefined)[]): string {
  return words.filter(word => word !== undefined && word !== '').join(' · ');
}
