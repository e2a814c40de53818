// Numbers, bytes and times in the user's language. Exact first, human second: nobody has to trust a rounded value.

const powers = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const;
/** What those powers of 1,024 are called; Intl knows only the decimal ones. */
const binary = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** "1,234", exact however large; `decimal` as it came when it is no decimal number. */
export function formatNumber(decimal: string, language: string): string {
  return /^-?\d+$/.test(decimal) ? new Intl.NumberFormat(language).format(BigInt(decimal)) : decimal;
}

/** Exact bytes and, from 1,024 on, a power of 1,024: `["65,536 bytes", "64 KiB"]`. */
export function formatBytes(decimal: string, language: string): { readonly exact: string; readonly human?: string } {
  if (!/^\d+$/.test(decimal)) return { exact: decimal };
  const bytes = BigInt(decimal);
  const exact = new Intl.NumberFormat(language, { style: 'unit', unit: powers[0], unitDisplay: 'long' }).format(bytes);
  let power = 0;
  while (power < binary.length - 1 && bytes >= 1024n ** BigInt(power + 1)) power++;
  if (power === 0) return { exact };
  const human = Number(bytes) / 1024 ** power;
  return { exact, human: `${new Intl.NumberFormat(language, { maximumFractionDigits: human < 10 ? 2 : human < 100 ? 1 : 0 }).format(human)} ${binary[power]}` };
}

const steps: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_557_600], ['month', 2_629_800], ['day', 86_400], ['hour', 3600], ['minute', 60], ['second', 1],
];

/** Absolute in the user's time zone, and relative to `now` (ms). Undefined when `time` is no time. */
export function formatTime(time: string, now: number, language: string): { readonly absolute: string; readonly relative: string } | undefined {
  const at = Date.parse(time);
  if (Number.isNaN(at)) return undefined;
  const seconds = Math.round((at - now) / 1000);
  const [unit, length] = steps.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1];
  return {
    absolute: new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' }).format(at),
    relative: new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(Math.trunc(seconds / length), unit),
  };
}
