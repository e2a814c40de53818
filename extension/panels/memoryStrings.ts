// The sentences of the memory view. `{0}` stands for what the webview fills in.
import type { MemoryStrings } from '../../webview/memoryProtocol';
import { l10n } from '../translation';

/** All of them, in the user's language. */
export function memoryStrings(): MemoryStrings {
  return {
    refresh: l10n.t('Refresh'), autoRefresh: l10n.t('Live'), save: l10n.t('Save a Range to a File…'), openAsFile: l10n.t('Open as File'), inspect: l10n.t('Inspect the Object'),
    goTo: l10n.t('Go to offset'), goToPlaceholder: l10n.t('Go to: 4096, 0x1000'), offsetInvalid: l10n.t('Not an offset: write 4096 or 0x1000.'), offsetBeyond: l10n.t('It ends before that: it has {0}.', '{0}'),
    nextWritten: l10n.t('Go to the next written pages'), previousWritten: l10n.t('Go to the written pages before'), noneWritten: l10n.t('There are no further written pages in that direction.'),
    search: l10n.t('Search'), searchPlaceholder: l10n.t('Search: text or bytes'), text: l10n.t('Text'), hex: l10n.t('Hexadecimal'), matchCase: l10n.t('Match case'),
    next: l10n.t('Next match'), previous: l10n.t('Previous match'), cancel: l10n.t('Cancel the search'), goOn: l10n.t('Go on searching'),
    hexInvalid: l10n.t('Not bytes: write pairs of hexadecimal digits, as in de ad be ef.'), textInvalid: l10n.t('This is no text that UTF-8 can express.'), patternTooLong: l10n.t('Longer than 256 bytes.'),
    searching: l10n.t('searching, {0} %', '{0}'), hit: l10n.t('match {0} of {1}', '{0}', '{1}'), hits: l10n.t('{0} matches', '{0}'), noHits: l10n.t('no match'),
    manyHits: l10n.t('stopped after so many'), cancelled: l10n.t('stopped'),
    bytesPerRow: l10n.t('Bytes in a row'), automatic: l10n.t('auto'), perRow: l10n.t('row: {0}', '{0}'),
    memory: l10n.t('Memory of {0}', '{0}'), offsetColumn: l10n.t('Offset'), textColumn: l10n.t('Text'),
    cell: l10n.t('offset {0}: {1}, decimal {2} {3}, {4}', '{0}', '{1}', '{2}', '{3}', '{4}'), cellUnseen: l10n.t('offset {0}: {1}', '{0}', '{1}'), cellChanged: l10n.t('changed'),
    cursor: l10n.t('{0} ({1})', '{0}', '{1}'), selection: l10n.t('{2} bytes selected, {0} to {1}', '{0}', '{1}', '{2}'), size: l10n.t('{0}', '{0}'), allocated: l10n.t('allocated {0}', '{0}'), sizeUnknown: l10n.t('size unknown'),
    states: {
      resident: l10n.t('in memory'), swapped: l10n.t('swapped out'), absent: l10n.t('never written'), written: l10n.t('written'), 'on-disk': l10n.t('on disk only'), unseen: l10n.t('not seen'),
    },
    stateHelp: {
      resident: l10n.t('page in memory'), swapped: l10n.t('page on swap'), absent: l10n.t('page never written: zeros that take no memory'),
      written: l10n.t('page written; whether it is in memory or on swap this kernel does not tell'), 'on-disk': l10n.t('page of the file that is not in memory now'),
      unseen: l10n.t('page that no process which may be read has touched: it is not read, because reading could allocate it'),
    },
    pages: l10n.t('Pages'), pagesSummary: l10n.t('Pages: {0}', '{0}'),
    changedCount: l10n.t('{0} bytes in sight changed', '{0}'),
    valuesTitle: l10n.t('At the cursor'), type: l10n.t('Type'), littleEndian: l10n.t('Little endian'), bigEndian: l10n.t('Big endian'), noValue: '–', copyValue: l10n.t('Copy {0}', '{0}'),
    structTitle: l10n.t('As a structure'), declarations: l10n.t('Declarations in C'),
    declarationsHelp: 'struct header {\n  uint32_t magic;\n  uint16_t version, flags;\n  char name[16];\n};',
    structure: l10n.t('Structure'), byteOrder: l10n.t('Byte order'), followCursor: l10n.t('Follow the cursor'), base: l10n.t('at {0}', '{0}'),
    field: l10n.t('Field'), fieldOffset: l10n.t('Offset'), value: l10n.t('Value'), noStructure: l10n.t('Declare a struct, a union or an array in C: it is laid over the bytes at the cursor, as a compiler for 64-bit Linux would.'),
    structSize: l10n.t('{0} bytes, aligned to {1}', '{0}', '{1}'), moreFields: l10n.t('Long arrays are shown by their first elements.'), errorAt: l10n.t('Line {0}, column {1}: {2}', '{0}', '{1}', '{2}'), fieldBeyond: l10n.t('not there, or not seen'),
    pending: l10n.t('Looking…'), gone: l10n.t('This object is gone.'), goneDetail: l10n.t('Its memory is no more, and nothing of it is kept here.'),
    unavailable: l10n.t('It cannot be looked at because {0}.', '{0}'), problem: l10n.t('The last look failed, what is shown is older: {0}', '{0}'),
    incomplete: l10n.t('Only pages that a process which may be read has touched are shown: the others could be there or absent, and reading them could allocate them.'),
    administrator: l10n.t('Look as Administrator…'), shrunk: l10n.t('It has shrunk from {0} to {1}.', '{0}', '{1}'), grown: l10n.t('It has grown from {0} to {1}.', '{0}', '{1}'),
    empty: l10n.t('It is empty.'), tooLarge: l10n.t('Only up to 64 KiB that are in sight can be copied: save a range to a file instead.'), copied: l10n.t('Copied.'), dismiss: l10n.t('Dismiss'), readOnly: l10n.t('read-only'),
  };
}
