// Messages between a panel's host (extension/panels/) and its webview. Types only.
//
// The host says everything in words of the user's language and sends typed values; the webview writes numbers, bytes and
// times in the user's locale, keeps relative times fresh and decides what it looks like. All text is data: it is only ever
// put into text nodes.

/** One value of an object, as typed as its presentation needs it. */
export type Value =
  /** Text chosen by other people (names, paths, command lines). `copy`: offer to copy it. */
  | { readonly type: 'text'; readonly text: string; readonly copy?: boolean }
  /** Lines made of what others wrote, by us: as they are, in the editor's font. Already without characters that are not seen. */
  | { readonly type: 'block'; readonly text: string }
  /** A sentence of ours. */
  | { readonly type: 'words'; readonly text: string }
  /** A count, in decimal. `of`: the limit it approaches. */
  | { readonly type: 'number'; readonly number: string; readonly of?: string; /** Drawn as a bar beside it: full at this. */ readonly bar?: string }
  /** Bytes, in decimal. */
  | { readonly type: 'bytes'; readonly bytes: string; readonly of?: string }
  /** ISO 8601. */
  | { readonly type: 'time'; readonly time: string }
  /** A process that can be followed; without a name it runs no more. `note`: what qualifies it. */
  | { readonly type: 'process'; readonly pid: number; readonly name?: string; readonly note?: string }
  /** Another object, whose inspector can be opened. */
  | { readonly type: 'object'; readonly id: string; readonly name: string }
  /** Could not be seen: why, and what would help. Never empty, never 0. */
  | { readonly type: 'unknown'; readonly why: string; readonly remedy?: string };

/** `term`: the manual page's word. `gloss`: what it means. */
export interface Field { readonly key: string; readonly gloss: string; readonly term?: string; readonly value: Value }
export interface Column { readonly key: string; readonly label: string; readonly term?: string; readonly numeric?: boolean }
/** A cell is absent where the column does not apply to the row. */
export interface Row { readonly key: string; readonly cells: readonly (Value | undefined)[]; readonly copy?: string }
/** A remark in prose: a wait, a finding, a gap. */
export interface Note {
  readonly key: string;
  readonly severity: 'info' | 'warning' | 'error';
  readonly headline: string;
  readonly tag?: string;
  readonly lines: readonly string[];
}

/** A request to look into the object, and what came of it. What has rows follows as tables of their own. */
export interface PeekSection {
  readonly type: 'peek'; readonly key: string; readonly title: string;
  /** What looking does, and that it consumes nothing. */
  readonly prompt: string;
  readonly action: string;
  readonly busy: boolean;
  /** How what was seen is shown, where there is a choice. */
  readonly formats?: readonly { readonly key: string; readonly label: string; readonly chosen: boolean }[];
  readonly formatLabel?: string;
  /** When it was looked. The contents may be others since. */
  readonly lookedAt?: string;
  /** What is to be said of it: sizes, holes, why it cannot be looked at. */
  readonly remarks: readonly string[];
  /** Bytes as hexadecimal numbers and text, a line for each sixteen. */
  readonly dump?: string;
  /** Where the piece before and the one after begin. */
  readonly pages: readonly { readonly key: string; readonly label: string; readonly offset: string }[];
}

/** A lock drawn on its file. `from`, `to`: 0 to 1 of the width. `open`: to the end of the file, however it grows. */
export interface DrawnRange { readonly key: string; readonly label: string; readonly words: string; readonly type: 'read' | 'write' | 'unknown'; readonly waiting: boolean; readonly from: number; readonly to: number; readonly open: boolean }
/** The ranges of a file that are locked or asked for, one below the other. `marks`: offsets where ranges begin and end; between them it is not to scale. */
export interface RangesSection {
  readonly type: 'ranges'; readonly key: string; readonly title: string; readonly caption: string;
  readonly marks: readonly { readonly at: number; readonly text: string }[]; readonly ranges: readonly DrawnRange[];
}

export type Section =
  | PeekSection
  | RangesSection
  | { readonly type: 'fields'; readonly key: string; readonly title: string; readonly fields: readonly Field[] }
  /** `rows` may be the first of `total`: `showAll` asks for the rest. `empty` says what no rows mean. */
  | { readonly type: 'table'; readonly key: string; readonly title: string; readonly columns: readonly Column[]; readonly rows: readonly Row[]; readonly total: number; readonly empty: string; readonly remark?: string }
  | { readonly type: 'notes'; readonly key: string; readonly title: string; readonly notes: readonly Note[] };

export interface InspectorView {
  readonly id: string;
  readonly icon: string;
  /** The facility, singular. */
  readonly label: string;
  /** What people call the object; its id where it has no name. */
  readonly name: string;
  /** One sentence on how long it lives and who may get at it. */
  readonly summary: string;
  /** Its state in a few words: the gist of what follows. */
  readonly brief: string;
  /** Set once it exists no more: when that was seen. The sections then show what was last known. */
  readonly goneSince?: string;
  readonly removable: boolean;
  /** Its bytes can be shown in a memory view. */
  readonly memory: boolean;
  readonly sections: readonly Section[];
}

/** Sentences the webview itself needs. `{0}` stands for what it fills in. */
export interface InspectorStrings {
  readonly copy: string; readonly copyId: string; readonly copyJson: string; readonly remove: string; readonly openMemory: string;
  readonly unknown: string; readonly notRunning: string; readonly follow: string; readonly inspect: string;
  readonly showAll: string; readonly showFewer: string; readonly shownOf: string; readonly of: string;
  readonly gone: string; readonly goneDetail: string; readonly goneUnknown: string; readonly pending: string; readonly problem: string;
  readonly changed: string; readonly copied: string; readonly actions: string;
}

/** What survives a reload of the window (`setState`, WebviewPanelSerializer). */
export interface InspectorState { readonly version: 1; readonly id: string; readonly name: string; readonly icon: string; readonly label: string }

/** `problem`: why the last refresh failed; what is shown is older then. */
export type ToInspector =
  | { readonly type: 'strings'; readonly language: string; readonly strings: InspectorStrings }
  /** pending: no snapshot yet. vanished: gone, and nothing of it is known but its name: it went while the window was closed. */
  | { readonly type: 'pending' | 'vanished'; readonly state: InspectorState; readonly problem?: string }
  | { readonly type: 'view'; readonly view: InspectorView; readonly problem?: string };

export type FromInspector =
  | { readonly type: 'ready' }
  | { readonly type: 'copyId' }
  | { readonly type: 'copyJson' }
  | { readonly type: 'remove' }
  | { readonly type: 'openMemory' }
  | { readonly type: 'copy'; readonly text: string }
  | { readonly type: 'follow'; readonly pid: number }
  | { readonly type: 'inspect'; readonly id: string }
  /** Bytes: from this offset on; messages: from this index on. */
  | { readonly type: 'peek'; readonly offset: string }
  | { readonly type: 'format'; readonly format: string }
  | { readonly type: 'showAll'; readonly table: string; readonly all: boolean };
