// Whether /proc hides processes of other users from this one (proc(5), the mount options hidepid and gid).
import { isGone, parseStatus, readText } from './procfs';

/** Whether the procfs on /proc is mounted so that processes which may not be traced are not even listed. Of a mountinfo's text. */
export function isMountedHiding(mountinfo: string): boolean {
  // The last mount at a point covers those before. By name since Linux 5.8, by number before.
  const options = [...mountinfo.matchAll(/^\d+ \d+ \d+:\d+ \S+ \/proc .* - proc \S+ (\S+)$/gm)].at(-1)?.[1] ?? '';
  return options.split(',').some(option => /^hidepid=(?:2|4|invisible|ptraceable)$/.test(option));
}

/** `uidOfFirst`: user of PID 1; undefined when it is not there, as it always is in a whole /proc. */
export function mayHide(uid: number, uidOfFirst: number | undefined, mountinfo: string): boolean {
  if (uid === 0) return false;
  // Whoever sees a process of another user that he may not trace is in the group that the mount option gid names.
  return uidOfFirst === undefined || (uidOfFirst === uid && isMountedHiding(mountinfo));
}

/** Whether processes of others may be hidden from us. */
export function hidesProcesses(uid: number): boolean {
  const first = readText('/proc/1/status');
  // Refused, but there (hidepid=1): then everybody is listed.
  if (first.value === undefined && !isGone(first.errno)) return false;
  return mayHide(uid, parseStatus(first.value ?? '')?.uid, readText('/proc/self/mountinfo').value ?? '');
}
