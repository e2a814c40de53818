// Effective capabilities of this process by name (capabilities(7), /proc/self/status CapEff).
import { readText } from './procfs';

/** Bit numbers of the capabilities that open something to the probe (include/uapi/linux/capability.h). */
const bits = {
  CAP_CHOWN: 0, CAP_DAC_OVERRIDE: 1, CAP_DAC_READ_SEARCH: 2, CAP_FOWNER: 3, CAP_IPC_OWNER: 15, CAP_SYS_PTRACE: 19,
  CAP_SYS_ADMIN: 21, CAP_PERFMON: 38, CAP_BPF: 39, CAP_CHECKPOINT_RESTORE: 40,
} as const;

/** The same as a mask: what a confined probe keeps of what it was given. */
export const usefulCapabilities: bigint = Object.values(bits).reduce((mask, bit) => mask | 1n << BigInt(bit), 0n);

/** Names of the capabilities set in a CapEff mask ("000001ffffffffff"). */
export function capabilityNames(mask: string): string[] {
  const value = BigInt(/^[0-9a-f]+$/i.test(mask) ? `0x${mask}` : 0);
  return Object.entries(bits).filter(([, bit]) => ((value >> BigInt(bit)) & 1n) === 1n).map(([name]) => name);
}

export function effectiveCapabilities(): string[] {
  return capabilityNames(/^CapEff:\s*([0-9a-f]+)$/m.exec(readText('/proc/self/status').value ?? '')?.[1] ?? '');
}
