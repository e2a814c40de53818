// Rendering without jumps: views are described as plain nodes, and the DOM is changed only where the description did.
// Elements are kept by key, so focus, selection and scroll position survive every update. No innerHTML anywhere: text
// becomes text nodes, attributes are set by name.

export interface Element_ {
  readonly tag: string;
  /** Sibling elements with the same key are the same element over updates; without one: by position and tag. */
  readonly key?: string;
  readonly attributes?: Readonly<Record<string, string | undefined>>;
  readonly onClick?: () => void;
  readonly children: readonly Described[];
}
export type Described = Element_ | string;

type Options = { readonly key?: string; readonly onClick?: () => void } & Readonly<Record<string, string | (() => void) | undefined>>;

/** Describes an element: `h('p', { class: 'x' }, 'text', h('b', {}, '…'))`. `key` and `onClick` are no attributes. */
export function h(tag: string, options: Options, ...children: readonly (Described | undefined)[]): Element_ {
  const attributes: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(options)) {
    if (name !== 'key' && typeof value !== 'function') attributes[name] = value;
  }
  return { tag, key: options.key, attributes, onClick: options.onClick, children: children.filter(child => child !== undefined) };
}

const described = new WeakMap<Node, Element_>();

function identity(node: Described): string {
  return typeof node === 'string' ? '#text' : `${node.tag}\n${node.key ?? ''}`;
}

function create(node: Described): Node {
  if (typeof node === 'string') return document.createTextNode(node);
  const element = document.createElement(node.tag);
  update(element, undefined, node);
  return element;
}

function update(element: HTMLElement, before: Element_ | undefined, after: Element_): void {
  // The same description: whoever made it knows that nothing has changed (the rows of long tables).
  if (before === after) return;
  for (const [name, value] of Object.entries(after.attributes ?? {})) {
    if (value === undefined) { if (before?.attributes?.[name] !== undefined) element.removeAttribute(name); }
    // A style attribute is what the policy refuses; a property set by script is not.
    else if (before?.attributes?.[name] !== value) { if (name.startsWith('--')) element.style.setProperty(name, value); else element.setAttribute(name, value); }
  }
  for (const name of Object.keys(before?.attributes ?? {})) {
    if (after.attributes?.[name] !== undefined) continue;
    if (name.startsWith('--')) element.style.removeProperty(name); else element.removeAttribute(name);
  }
  element.onclick = after.onClick ?? null;
  described.set(element, after);
  patch(element, after.children);
}

/**
 * Makes the children of `parent` what `wanted` describes, keeping every element that is still wanted.
 * Children that were not made here (a custom element's own) are never touched: only describe the children of plain parents.
 */
export function patch(parent: Node, wanted: readonly Described[]): void {
  const spare = new Map<string, Node[]>();
  for (const child of parent.childNodes) {
    const node = described.get(child);
    const name = node ? identity(node) : '#text';
    const same = spare.get(name);
    if (same) same.push(child); else spare.set(name, [child]);
  }
  // Reversed once, so that the first spare of a name is taken from the end in constant time.
  for (const same of spare.values()) same.reverse();

  let next: Node | null = parent.firstChild;
  for (const node of wanted) {
    const kept = spare.get(identity(node))?.pop();
    if (kept && typeof node === 'string') { if (kept.nodeValue !== node) kept.nodeValue = node; }
    else if (kept instanceof HTMLElement && typeof node !== 'string') update(kept, described.get(kept), node);
    const child = kept ?? create(node);
    if (child === next) next = next.nextSibling;
    else {
      // What is about to go must not push the kept elements around: moving an element would take its focus.
      while (next && next !== child && !willStay(next, spare)) next = next.nextSibling;
      if (child === next) next = next.nextSibling; else parent.insertBefore(child, next);
    }
  }
  for (const same of spare.values()) for (const child of same) parent.removeChild(child);
}

function willStay(node: Node, spare: ReadonlyMap<string, readonly Node[]>): boolean {
  const description = described.get(node);
  const left = spare.get(description ? identity(description) : '#text');
  return !left?.includes(node);
}
