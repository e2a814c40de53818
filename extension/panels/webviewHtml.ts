// The document around a webview bundle: nothing but its own script and style sheets may load. Pure; the webview tests serve the same document.

export interface WebviewDocument {
  /** `webview.cspSource`. */
  readonly cspSource: string;
  /** New for every document; two different ones, as that of the styles stands in a place that scripts and styles can read. */
  readonly scriptNonce: string;
  readonly styleNonce: string;
  readonly script: string;
  readonly styles: readonly string[];
  readonly language: string;
  readonly title: string;
}

/**
 * The HTML of a panel. Styles come from files; the toolkit's own are constructable style sheets, which need no permission,
 * except for one empty style element by which FAST (fast-web-utilities, canUseFocusVisible) tries what the browser can: it
 * takes its nonce from the meta element `csp-nonce`. Images, connections, frames and everything inline else are refused.
 */
export function webviewHtml({ cspSource, scriptNonce, styleNonce, script, styles, language, title }: WebviewDocument): string {
  const policy = `default-src 'none'; script-src 'nonce-${scriptNonce}'; style-src ${cspSource} 'nonce-${styleNonce}'; font-src ${cspSource}; base-uri 'none'; form-action 'none'`;
  return [
    '<!DOCTYPE html>',
    `<html lang="${escape(language)}">`,
    '<head>',
    '<meta charset="UTF-8">',
    `<meta http-equiv="Content-Security-Policy" content="${escape(policy)}">`,
    `<meta property="csp-nonce" content="${escape(styleNonce)}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    ...styles.map(style => `<link rel="stylesheet" href="${escape(style)}">`),
    `<title>${escape(title)}</title>`,
    '</head>',
    '<body>',
    `<script nonce="${escape(scriptNonce)}" src="${escape(script)}"></script>`,
    '</body>',
    '</html>',
  ].join('\n');
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`);
}
