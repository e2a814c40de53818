// What comes from a memory view's webview, checked before it is believed. Pure.
import type { FromMemory, MemoryState } from '../../webview/memoryProtocol';

/** The longest text of declarations that is kept, in characters. */
export const longestDeclarations = 256 << 10;

/** The state that a webview kept, if it is one; webview storage is outside our control. */
export function asMemoryState(value: unknown): MemoryState | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { version, id, name, icon, label, cursor, declarations, structure, bytesPerRow } = value as Record<string, unknown>;
  if (version !== 1 || typeof id !== 'string' || typeof name !== 'string' || typeof icon !== 'string' || typeof label !== 'string') return undefined;
  return {
    version, id, name, icon: /^[a-z-]+$/.test(icon) ? icon : 'question', label,
    ...(typeof cursor === 'string' && /^\d{1,19}$/.test(cursor) ? { cursor } : {}),
    ...(typeof declarations === 'string' && declarations.length <= longestDeclarations ? { declarations } : {}),
    ...(typeof structure === 'string' ? { structure: structure.slice(0, 200) } : {}),
    ...(bytesPerRow === 8 || bytesPerRow === 16 || bytesPerRow === 32 ? { bytesPerRow } : {}),
  };
}

const isOffset = (value: unknown): boolean => typeof value === 'string' && /^\d{1,19}$/.test(value);
const isCount = (value: unknown, most = Number.MAX_SAFE_INTEGER): boolean => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most;

/** Messages come from a document of ours, but a document all the same. */
export function isFromMemory(value: unknown): value is FromMemory {
  if (typeof value !== 'object' || value === null) return false;
  const { type, request, offset, length, parts, base64, ignoreCase, from, text, start, end } = value as Record<string, unknown>;
  switch (type) {
    case 'ready': case 'inspect': case 'administrator': return true;
    case 'read': return isCount(request) && isOffset(offset) && isCount(length, 1 << 20);
    case 'survey': return isCount(request) && isCount(parts, 2048);
    case 'search': return isCount(request) && typeof base64 === 'string' && base64.length <= 344 && typeof ignoreCase === 'boolean' && isOffset(from);
    case 'cancel': return isCount(request);
    case 'copy': case 'declarations': return typeof text === 'string';
    case 'save': return isOffset(start) && isOffset(end);
    case 'openAsFile': return isOffset(offset);
    default: return false;
  }
}
