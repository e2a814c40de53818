// Lint rules. The restricted imports are the walls of the house: see CONTRIBUTING.md.
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const ffi = { group: ['ffi-rs', '@yuuang/*'], message: 'Only native-probe/kernel/libc.ts calls native code.' };
const editor = { group: ['vscode'], allowTypeImports: false, message: 'Only extension/ knows VS Code.' };
const toolkit = { group: ['@vscode/webview-ui-toolkit', '@vscode/webview-ui-toolkit/*'], message: 'Only webview/toolkit.ts knows the toolkit, so that replacing it is a one-file change.' };
const node = { regex: '^(node:.*|fs|path|os|child_process|net|util|crypto|buffer|stream|process)(/.*)?$', message: 'The webview runs in a browser: no Node there.' };
const outOfProbe = { regex: '^\\.\\.(/\\.\\.)*/(extension|webview|test)(/|$)', message: 'The probe imports nothing of ours from outside its folder.' };
const programs = { regex: '^(node:)?(child_process|cluster|worker_threads)$', message: 'The probe starts no program: it may have the rights of root. Only the verb `leaks` of the command line runs one (runCommand.ts).' };
const probeValues = { regex: '(^|/)native-probe/(?!facilityTable$|analysis/diff$|analysis/waitOrder$)', allowTypeImports: true, message: 'The extension shares types with the probe (import type), the facility table, how to apply a delta, and the order of waits.' };
const extensionValues = { regex: '(^|/)extension/', message: 'The webview does not import the extension.' };
const webviewValues = { regex: '(^|/)webview/', allowTypeImports: true, message: 'The extension shares only message types with the webview.' };
const io = { regex: '(^|/)kernel/|^node:(fs|child_process|net)', allowTypeImports: true, message: 'analysis/ is pure: no I/O.' };

const walls = (...patterns) => ({ 'no-restricted-imports': 'off', '@typescript-eslint/no-restricted-imports': ['error', { patterns }] });

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.vscode-test/', '**/*.d.ts'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: ['./tsconfig.json', './tsconfig.webview.json', './test/webview/tsconfig.json'], tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { prefer: 'type-imports', fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      'eqeqeq': ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
    },
  },
  { files: ['native-probe/**/*.ts'], ignores: ['native-probe/runs/runCommand.ts'], rules: walls(ffi, editor, toolkit, outOfProbe, programs) },
  { files: ['native-probe/runs/runCommand.ts'], rules: walls(ffi, editor, toolkit, outOfProbe) },
  { files: ['native-probe/kernel/libc.ts'], rules: walls(editor, toolkit, outOfProbe, programs) },
  { files: ['native-probe/analysis/**/*.ts'], rules: walls(ffi, editor, toolkit, outOfProbe, programs, io) },
  { files: ['extension/**/*.ts'], rules: walls(ffi, toolkit, probeValues, webviewValues) },
  { files: ['webview/**/*.ts'], rules: walls(ffi, editor, toolkit, node, probeValues, extensionValues) },
  { files: ['webview/toolkit.ts'], rules: walls(ffi, editor, node, probeValues, extensionValues) },
  {
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/no-unused-expressions': 'off', 'no-console': 'off' },
  },
  {
    files: ['**/*.mjs', '**/*.cjs', '**/*.js'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', Buffer: 'readonly', URL: 'readonly', URLSearchParams: 'readonly', setTimeout: 'readonly', clearTimeout: 'readonly', setInterval: 'readonly', clearInterval: 'readonly', fetch: 'readonly', require: 'readonly', module: 'readonly', __dirname: 'readonly', AbortSignal: 'readonly', performance: 'readonly' } },
    rules: { 'no-unused-vars': ['error', { argsIgnorePattern: '^_' }] },
  },
);
