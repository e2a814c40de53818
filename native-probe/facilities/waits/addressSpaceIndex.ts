// Processes by their address space, found with few comparisons: those that share one have the same arguments, because these lie
// in it, and the kernel orders address spaces, so that each is looked up by halving.

/** As kcmp(2) answers: 0 the same, -1 and 1 an order, or an errno. */
export type CompareSpaces = (a: number, b: number) => -1 | 0 | 1 | string;

export class AddressSpaces {
  /** By arguments: the PIDs, and once somebody asks the address spaces in the kernel's order. */
  readonly #byArguments = new Map<string, { readonly pids: number[]; spaces?: number[][]; denied: number[] }>();
  readonly #argumentsOf = new Map<number, string>();

  constructor(processes: readonly { readonly pid: number; readonly cmdline: readonly string[] | null }[], private readonly compare: CompareSpaces) {
    for (const { pid, cmdline } of processes) {
      const text = cmdline?.join('\0');
      if (text === undefined) continue;
      this.#argumentsOf.set(pid, text);
      const group = this.#byArguments.get(text);
      if (group) group.pids.push(pid);
      else this.#byArguments.set(text, { pids: [pid], denied: [] });
    }
  }

  /** The other processes in a process's address space, and those that could not be compared. */
  sharersOf(pid: number): { readonly sharers: readonly number[]; readonly denied: readonly number[] } {
    const group = this.#byArguments.get(this.#argumentsOf.get(pid) ?? '');
    if (!group || group.pids.length < 2) return { sharers: [], denied: [] };
    if (!group.spaces) {
      group.spaces = [];
      for (const each of group.pids) if (!this.#place(group.spaces, each)) group.denied.push(each);
    }
    const own = group.spaces.find(space => space.includes(pid));
    return { sharers: (own ?? []).filter(each => each !== pid), denied: group.denied.filter(each => each !== pid) };
  }

  /** Puts a process among the spaces; false when the kernel refuses to compare it. One that is gone is left out. */
  #place(spaces: number[][], pid: number): boolean {
    let [low, high] = [0, spaces.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const [leader] = spaces[middle] ?? [];
      const order = leader === undefined ? 'ESRCH' : this.compare(pid, leader);
      if (order === 0) { spaces[middle]?.push(pid); return true; }
      if (typeof order === 'string') {
        if (order !== 'ESRCH') return false;
        // One of the two has ended: with itself only the living compare.
        if (this.compare(pid, pid) !== 0) return true;
        const left = spaces[middle]?.slice(1) ?? [];
        if (left.length > 0) spaces[middle] = left;
        else spaces.splice(middle, 1);
        high = Math.min(high, spaces.length);
        low = 0;
        continue;
      }
      if (order < 0) high = middle;
      else low = middle + 1;
    }
    // The first of all has nobody to be compared with, but must be readable, too.
    const self = spaces.length === 0 ? this.compare(pid, pid) : 0;
    if (typeof self === 'string' && self !== 'ESRCH') return false;
    spaces.splice(low, 0, [pid]);
    return true;
  }
}
