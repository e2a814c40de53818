// esbuild puts an entry's style sheets into dist/webview/<entry>.css.
declare module '*.css';
// … and the text of an icon into the bundle.
declare module '*.svg' {
  const text: string;
  export default text;
}
