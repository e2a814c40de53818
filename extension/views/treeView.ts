// Shows plain nodes in a VS Code tree view. Elements keep their identity over refreshes, and only what changed is
// refreshed, so that selection, expansion and the scroll position survive.
import * as vscode from 'vscode';
import { changeUri } from './changeDecorations';
import { DisposableStore } from '../dispose';
import { looksAlike } from './treeNode';
import type { TreeNode } from './treeNode';

/** What VS Code holds for a node: one per id for as long as it is shown; its data is replaced by newer snapshots. */
export class Element {
  /** Set once VS Code has asked for the children. */
  children: readonly Element[] | undefined;
  constructor(public node: TreeNode, readonly parent: Element | undefined) {}
}

export class SnapshotTree implements vscode.TreeDataProvider<Element>, vscode.Disposable {
  private readonly store = new DisposableStore();
  private readonly treeChanged = this.store.add(new vscode.EventEmitter<Element | undefined>());
  readonly onDidChangeTreeData = this.treeChanged.event;
  readonly view: vscode.TreeView<Element>;
  private roots: readonly Element[] | undefined;

  /** @param nodes the roots, from the newest snapshot; called again on every update */
  constructor(viewId: string, private readonly nodes: () => readonly TreeNode[], options: { readonly canSelectMany?: boolean } = {}) {
    this.view = this.store.add(vscode.window.createTreeView(viewId, { treeDataProvider: this, showCollapseAll: true, canSelectMany: options.canSelectMany ?? false }));
  }

  /** Brings what is shown up to date with the newest snapshot. */
  update(): void {
    if (this.roots === undefined) {
      this.treeChanged.fire(undefined);
      return;
    }
    const next = this.nodes();
    if (sameIds(this.roots, next)) this.reconcile(this.roots, next);
    else this.treeChanged.fire(undefined);
  }

  getChildren(element?: Element): Element[] {
    const nodes = element ? element.node.children?.() ?? [] : this.nodes();
    const before = new Map((element ? element.children : this.roots)?.map(it => [it.node.id, it]));
    const children = nodes.map(node => {
      const known = before.get(node.id);
      if (!known) return new Element(node, element);
      known.node = node;
      return known;
    });
    if (element) element.children = children;
    else this.roots = children;
    return children;
  }

  getParent(element: Element): Element | undefined {
    return element.parent;
  }

  getTreeItem({ node }: Element): vscode.TreeItem {
    const item = new vscode.TreeItem(node.label, collapsibleState(node));
    item.id = node.id;
    if (node.description !== undefined) item.description = node.description;
    item.iconPath = new vscode.ThemeIcon(node.icon, node.color === undefined ? undefined : new vscode.ThemeColor(node.color));
    if (node.command) item.command = { command: node.command.id, title: node.command.title, ...(node.command.argument === undefined ? {} : { arguments: [node.command.argument] }) };
    if (node.change) item.resourceUri = changeUri({ id: node.id, change: node.change });
    if (node.marks) item.contextValue = node.marks.join(' ');
    if (node.description) item.accessibilityInformation = { label: `${node.label}, ${node.description}` };
    return item;
  }

  resolveTreeItem(item: vscode.TreeItem, { node }: Element): vscode.TreeItem {
    if (node.tooltip) {
      const tooltip = new vscode.MarkdownString(node.tooltip());
      tooltip.isTrusted = false;
      tooltip.supportHtml = false;
      tooltip.supportThemeIcons = false;
      item.tooltip = tooltip;
    }
    return item;
  }

  /** Shows, selects and focuses the node at the end of these ids, each a child of the one before; false when there is none. */
  async reveal(...ids: readonly string[]): Promise<boolean> {
    let element: Element | undefined;
    for (const id of ids) {
      element = this.getChildren(element).find(it => it.node.id === id);
      if (!element) return false;
    }
    if (!element) return false;
    await this.view.reveal(element, { select: true, focus: true, expand: true });
    return true;
  }

  dispose(): void {
    this.store.dispose();
  }

  /** The elements have the ids of the nodes, in order. */
  private reconcile(elements: readonly Element[], nodes: readonly TreeNode[]): void {
    elements.forEach((element, i) => {
      const node = nodes[i];
      if (!node) return;
      const before = element.node;
      element.node = node;
      if (!looksAlike(before, node)) {
        this.treeChanged.fire(element); // VS Code asks for the children of an expanded one again by itself.
        return;
      }
      if (!element.children) return;
      const children = node.children?.() ?? [];
      if (sameIds(element.children, children)) this.reconcile(element.children, children);
      else this.treeChanged.fire(element);
    });
  }
}

function sameIds(elements: readonly Element[], nodes: readonly TreeNode[]): boolean {
  return elements.length === nodes.length && elements.every((element, i) => element.node.id === nodes[i]?.id);
}

function collapsibleState({ expansion }: TreeNode): vscode.TreeItemCollapsibleState {
  switch (expansion) {
    case 'none': return vscode.TreeItemCollapsibleState.None;
    case 'collapsed': return vscode.TreeItemCollapsibleState.Collapsed;
    case 'expanded': return vscode.TreeItemCollapsibleState.Expanded;
  }
}
