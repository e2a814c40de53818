// esbuild puts an entry's style sheets into dist/webview/<entry>.css.
declare module '*.css';
