// The names in webview/waitGraph/icons.ts, read as text: the file itself imports pictures, which only the bundler can.
import { readFileSync } from 'node:fs';

export function iconNames(): ReadonlySet<string> {
  const code = readFileSync(new URL('../../webview/waitGraph/icons.ts', import.meta.url), 'utf8');
  const table = code.slice(code.indexOf('const files'), code.indexOf('};', code.indexOf('const files')));
  return new Set([...table.slice(table.indexOf('= {') + 3).matchAll(/'?([a-z][\w-]*)'?(?=[:,])/g)].map(([, name]) => name ?? ''));
}
