// User-visible text. The pure parts of the extension (views, presentation) speak through this `l10n`, so that they run in
// plain Node too; activate() puts VS Code's own translator behind it.

export type Translate = (message: string, ...args: (string | number | boolean)[]) => string;

const english: Translate = (message, ...args) => message.replace(/\{(\d+)\}/g, (whole, index: string) => String(args[Number(index)] ?? whole));

export const l10n: { t: Translate } = { t: english };
