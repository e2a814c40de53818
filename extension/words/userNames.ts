// Names of users, from passwd(5). Users of other name services are shown by number.
import { readFileSync, statSync } from 'node:fs';

/** uid → name. The first entry of a uid counts, as in getpwuid(3). */
export function parsePasswd(text: string): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [name, , uid] = line.split(':');
    if (name && uid && /^\d+$/.test(uid) && !names.has(Number(uid))) names.set(Number(uid), name);
  }
  return names;
}

/** Where the presentation asks for names; a test may put its own here. */
export const users: { nameOf: (uid: number) => string | undefined } = { nameOf: () => undefined };

/** Makes `users` answer from a passwd file, read again when it changed. */
export function readUserNames(file = '/etc/passwd'): void {
  let names: ReadonlyMap<number, string> = new Map();
  let readAt = 0;
  let checkedAt = 0;
  users.nameOf = uid => {
    const now = Date.now();
    if (now - checkedAt > 10_000) {
      checkedAt = now;
      try {
        const { mtimeMs } = statSync(file);
        if (mtimeMs !== readAt) {
          names = parsePasswd(readFileSync(file, 'utf8'));
          readAt = mtimeMs;
        }
      } catch {
        names = new Map(); // No passwd file: numbers say it all.
      }
    }
    return names.get(uid);
  };
}
