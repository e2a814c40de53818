// Ownership is disposal: whoever creates something with a lifetime adds it to its own store.

export interface Disposable { dispose(): void }

/** Disposes what it was given, the newest first. Something added after its own disposal is disposed at once. */
export class DisposableStore implements Disposable {
  private readonly items = new Set<Disposable>();
  private disposed = false;

  add<T extends Disposable>(item: T): T {
    if (this.disposed) item.dispose();
    else this.items.add(item);
    return item;
  }

  dispose(): void {
    this.disposed = true;
    const items = [...this.items].reverse();
    this.items.clear();
    for (const item of items) item.dispose();
  }
}

/** A disposable from a function that runs once. */
export function onDispose(action: () => void): Disposable {
  let done = false;
  return { dispose: () => { if (!done) { done = true; action(); } } };
}
