// Messages between the memory view's host (extension/panels/memoryPanel.ts) and its webview. Types only. Bytes travel as base64, offsets
// and sizes in decimal. All text is data: it is only ever put into text nodes.
import type { PageState } from '../native-probe/model';
import type { ReadMemoryResult, SearchMemoryResult, SurveyPagesResult } from '../native-probe/protocol';

/** What survives a reload of the window (`setState`, WebviewPanelSerializer). */
export interface MemoryState {
  readonly version: 1;
  readonly id: string; readonly name: string; readonly icon: string; readonly label: string;
  /** Where the cursor is, in decimal. */
  readonly cursor?: string;
  /** Declarations of structures, and the one that is shown. */
  readonly declarations?: string;
  readonly structure?: string;
  readonly bytesPerRow?: number;
}

/** Sentences the webview itself needs. `{0}`, `{1}` stand for what it fills in. */
export interface MemoryStrings {
  readonly refresh: string; readonly autoRefresh: string; readonly save: string; readonly openAsFile: string; readonly inspect: string;
  readonly goTo: string; readonly goToPlaceholder: string; readonly offsetInvalid: string; readonly offsetBeyond: string;
  readonly nextWritten: string; readonly previousWritten: string; readonly noneWritten: string;
  readonly search: string; readonly searchPlaceholder: string; readonly text: string; readonly hex: string; readonly matchCase: string;
  readonly next: string; readonly previous: string; readonly cancel: string; readonly goOn: string;
  readonly hexInvalid: string; readonly textInvalid: string; readonly patternTooLong: string;
  readonly searching: string; readonly hit: string; readonly hits: string; readonly noHits: string; readonly manyHits: string; readonly cancelled: string;
  readonly bytesPerRow: string; readonly automatic: string; readonly perRow: string;
  readonly memory: string; readonly offsetColumn: string; readonly textColumn: string;
  readonly cell: string; readonly cellUnseen: string; readonly cellChanged: string;
  readonly cursor: string; readonly selection: string; readonly size: string; readonly allocated: string; readonly sizeUnknown: string;
  /** Of a page, short and as a clause. */
  readonly states: Readonly<Record<PageState, string>>;
  readonly stateHelp: Readonly<Record<PageState, string>>;
  readonly pages: string; readonly pagesSummary: string; readonly changedCount: string;
  readonly valuesTitle: string; readonly type: string; readonly littleEndian: string; readonly bigEndian: string; readonly noValue: string; readonly copyValue: string;
  readonly structTitle: string; readonly declarations: string; readonly declarationsHelp: string; readonly structure: string; readonly byteOrder: string; readonly followCursor: string; readonly base: string;
  readonly field: string; readonly fieldOffset: string; readonly value: string; readonly noStructure: string; readonly structSize: string; readonly moreFields: string; readonly errorAt: string; readonly fieldBeyond: string;
  readonly pending: string; readonly gone: string; readonly goneDetail: string; readonly unavailable: string; readonly problem: string; readonly incomplete: string; readonly administrator: string;
  readonly shrunk: string; readonly grown: string; readonly empty: string; readonly tooLarge: string; readonly copied: string; readonly dismiss: string; readonly readOnly: string;
}

export type ToMemory =
  /** `interval`: milliseconds between refreshes; 0: on demand only. `administrator`: more rights can be asked for. */
  | { readonly type: 'strings'; readonly language: string; readonly strings: MemoryStrings; readonly interval: number; readonly administrator: boolean; readonly state: MemoryState; readonly littleEndian: boolean }
  | { readonly type: 'read'; readonly request: number; readonly result: ReadMemoryResult }
  | { readonly type: 'survey'; readonly request: number; readonly result: SurveyPagesResult }
  | { readonly type: 'search'; readonly request: number; readonly result: SearchMemoryResult }
  /** The request itself failed (the probe is not there). */
  | { readonly type: 'failed'; readonly request: number; readonly problem: string }
  /** A command of the workbench: put the focus there. */
  | { readonly type: 'focus'; readonly what: 'goTo' | 'search' | 'refresh' }
  | { readonly type: 'interval'; readonly interval: number }
  | { readonly type: 'administrator'; readonly administrator: boolean };

export type FromMemory =
  | { readonly type: 'ready' }
  | { readonly type: 'read'; readonly request: number; readonly offset: string; readonly length: number }
  | { readonly type: 'survey'; readonly request: number; readonly parts: number }
  | { readonly type: 'search'; readonly request: number; readonly base64: string; readonly ignoreCase: boolean; readonly from: string }
  /** What is asked for is no longer wanted. */
  | { readonly type: 'cancel'; readonly request: number }
  | { readonly type: 'copy'; readonly text: string }
  | { readonly type: 'save'; readonly start: string; readonly end: string }
  | { readonly type: 'openAsFile'; readonly offset: string }
  | { readonly type: 'inspect' }
  | { readonly type: 'administrator' }
  | { readonly type: 'declarations'; readonly text: string };
