// The variables that VS Code sets on a webview's root, for its default dark, light and high-contrast themes: the colours
// that our style sheets and the toolkit use, as the built-in themes define them.

export type ThemeName = 'dark' | 'light' | 'hc' | 'hcLight';
export const themeClasses: Readonly<Record<ThemeName, string>> = { dark: 'vscode-dark', light: 'vscode-light', hc: 'vscode-high-contrast', hcLight: 'vscode-high-contrast vscode-high-contrast-light' };

const fonts = {
  'font-family': 'system-ui, "DejaVu Sans", sans-serif', 'font-weight': 'normal', 'font-size': '13px',
  'editor-font-family': '"DejaVu Sans Mono", monospace', 'editor-font-size': '14px',
};

export const themes: Readonly<Record<ThemeName, Readonly<Record<string, string>>>> = {
  dark: {
    ...fonts, 'foreground': '#cccccc', 'editor-background': '#1f1f1f', 'editor-foreground': '#cccccc', 'descriptionForeground': '#9d9d9d', 'disabledForeground': '#cccccc80',
    'icon-foreground': '#cccccc', 'panel-border': '#2b2b2b', 'focusBorder': '#0078d4', 'textLink-foreground': '#4daafc', 'textLink-activeForeground': '#4daafc',
    'textPreformat-foreground': '#d0d0d0', 'textPreformat-background': '#3c3c3c', 'editorWarning-foreground': '#cca700',
    'inputValidation-warningBackground': '#352a05', 'inputValidation-warningBorder': '#b89500', 'list-hoverBackground': '#2a2d2e', 'toolbar-hoverBackground': '#5a5d5e50',
    'notificationsInfoIcon-foreground': '#3794ff', 'notificationsWarningIcon-foreground': '#cca700', 'notificationsErrorIcon-foreground': '#f14c4c',
    'button-background': '#0078d4', 'button-foreground': '#ffffff', 'button-hoverBackground': '#026ec1', 'button-border': '#ffffff12',
    'button-secondaryBackground': '#313131', 'button-secondaryForeground': '#cccccc', 'button-secondaryHoverBackground': '#3c3c3c',
    'editor-findMatchBackground': '#9e6a03', 'editor-findMatchHighlightBackground': '#ea5c0055', 'editor-selectionBackground': '#264f78', 'editorLineNumber-foreground': '#6e7681', 'diffEditor-insertedTextBackground': '#9ccc2c33',
    'charts-blue': '#3794ff', 'charts-orange': '#d18616', 'charts-purple': '#b180d7', 'charts-yellow': '#cca700', 'input-background': '#313131', 'input-foreground': '#cccccc', 'input-border': '#3c3c3c', 'input-placeholderForeground': '#989898',
    'badge-background': '#616161', 'badge-foreground': '#f8f8f8', 'progressBar-background': '#0078d4',
    'charts-red': '#f14c4c', 'editorWidget-background': '#202020', 'editorWidget-border': '#454545', 'dropdown-background': '#313131', 'dropdown-foreground': '#cccccc', 'dropdown-border': '#3c3c3c',
    'inputOption-activeBackground': '#2489db82', 'inputOption-activeForeground': '#ffffff', 'inputOption-activeBorder': '#2488db', 'tree-indentGuidesStroke': '#585858', 'errorForeground': '#f85149',
  },
  light: {
    ...fonts, 'foreground': '#3b3b3b', 'editor-background': '#ffffff', 'editor-foreground': '#3b3b3b', 'descriptionForeground': '#3b3b3b', 'disabledForeground': '#61616180',
    'icon-foreground': '#3b3b3b', 'panel-border': '#e5e5e5', 'focusBorder': '#005fb8', 'textLink-foreground': '#005fb8', 'textLink-activeForeground': '#005fb8',
    'textPreformat-foreground': '#3b3b3b', 'textPreformat-background': '#0000001f', 'editorWarning-foreground': '#bf8803', 'editor-findMatchHighlightBackground': '#ea5c0055',
    'inputValidation-warningBackground': '#f6f5d2', 'inputValidation-warningBorder': '#b89500', 'list-hoverBackground': '#f2f2f2', 'toolbar-hoverBackground': '#b8b8b850',
    'notificationsInfoIcon-foreground': '#1a85ff', 'notificationsWarningIcon-foreground': '#bf8803', 'notificationsErrorIcon-foreground': '#e51400',
    'button-background': '#005fb8', 'button-foreground': '#ffffff', 'button-hoverBackground': '#0258a8', 'button-border': '#0000001a',
    'button-secondaryBackground': '#e5e5e5', 'button-secondaryForeground': '#3b3b3b', 'button-secondaryHoverBackground': '#cccccc',
    'editor-findMatchBackground': '#a8ac94', 'editor-selectionBackground': '#add6ff', 'editorLineNumber-foreground': '#6e7681', 'diffEditor-insertedTextBackground': '#9ccc2c40',
    'charts-blue': '#1a85ff', 'charts-orange': '#d18616', 'charts-purple': '#652d90', 'charts-yellow': '#bf8803', 'input-background': '#ffffff', 'input-foreground': '#3b3b3b', 'input-border': '#cecece', 'input-placeholderForeground': '#767676',
    'badge-background': '#cccccc', 'badge-foreground': '#3b3b3b', 'progressBar-background': '#005fb8',
    'charts-red': '#e51400', 'editorWidget-background': '#f8f8f8', 'editorWidget-border': '#c8c8c8', 'dropdown-background': '#ffffff', 'dropdown-foreground': '#3b3b3b', 'dropdown-border': '#cecece',
    'inputOption-activeBackground': '#bed6ed', 'inputOption-activeForeground': '#000000', 'inputOption-activeBorder': '#005fb8', 'tree-indentGuidesStroke': '#a9a9a9', 'errorForeground': '#f85149',
  },
  hc: {
    ...fonts, 'foreground': '#ffffff', 'editor-background': '#000000', 'editor-foreground': '#ffffff', 'descriptionForeground': '#ffffffb3', 'disabledForeground': '#a5a5a5',
    'icon-foreground': '#ffffff', 'panel-border': '#6fc3df', 'focusBorder': '#f38518', 'contrastBorder': '#6fc3df', 'contrastActiveBorder': '#f38518', 'textLink-foreground': '#21a6ff', 'textLink-activeForeground': '#21a6ff',
    'textPreformat-foreground': '#000000', 'textPreformat-background': '#ffffff', 'editorWarning-foreground': '#ffd370',
    'inputValidation-warningBackground': '#000000', 'inputValidation-warningBorder': '#6fc3df',
    'notificationsInfoIcon-foreground': '#3794ff', 'notificationsWarningIcon-foreground': '#ffd370', 'notificationsErrorIcon-foreground': '#f48771',
    'button-foreground': '#ffffff', 'button-border': '#6fc3df', 'button-secondaryForeground': '#ffffff', 'button-background': '#000000', 'button-secondaryBackground': '#000000',
    'editor-findMatchBorder': '#f38518', 'editor-findMatchHighlightBorder': '#f38518', 'editor-findMatchBackground': 'transparent', 'editor-findMatchHighlightBackground': 'transparent', 'editor-selectionBackground': '#ffffff', 'editor-selectionForeground': '#000000', 'editorLineNumber-foreground': '#ffffff', 'diffEditor-insertedTextBackground': 'transparent', 'diffEditor-insertedTextBorder': '#33ff2e',
    'charts-blue': '#3794ff', 'charts-orange': '#d18616', 'charts-purple': '#b180d7', 'charts-yellow': '#cca700', 'input-background': '#000000', 'input-foreground': '#ffffff', 'input-border': '#6fc3df', 'input-placeholderForeground': '#ffffffb3',
    'badge-background': '#000000', 'badge-foreground': '#ffffff', 'progressBar-background': '#6fc3df',
    'charts-red': '#f48771', 'editorWidget-background': '#0c141f', 'editorWidget-border': '#6fc3df', 'dropdown-background': '#000000', 'dropdown-foreground': '#ffffff', 'dropdown-border': '#6fc3df',
    'inputOption-activeBackground': '#00000000', 'inputOption-activeForeground': '#ffffff', 'inputOption-activeBorder': '#6fc3df', 'tree-indentGuidesStroke': '#a9a9a9', 'errorForeground': '#f48771',
  },
  hcLight: {
    ...fonts, 'foreground': '#292929', 'editor-background': '#ffffff', 'editor-foreground': '#292929', 'descriptionForeground': '#292929b3', 'disabledForeground': '#7f7f7f',
    'icon-foreground': '#292929', 'panel-border': '#0f4a85', 'focusBorder': '#006bbd', 'contrastBorder': '#0f4a85', 'contrastActiveBorder': '#006bbd', 'textLink-foreground': '#0f4a85', 'textLink-activeForeground': '#0f4a85',
    'textPreformat-foreground': '#ffffff', 'textPreformat-background': '#09345f', 'editorWarning-foreground': '#895503',
    'inputValidation-warningBackground': '#ffffff', 'inputValidation-warningBorder': '#0f4a85',
    'notificationsInfoIcon-foreground': '#1a85ff', 'notificationsWarningIcon-foreground': '#895503', 'notificationsErrorIcon-foreground': '#b5200d',
    'button-foreground': '#ffffff', 'button-border': '#0f4a85', 'button-secondaryForeground': '#292929', 'button-background': '#0f4a85', 'button-secondaryBackground': '#ffffff', 'button-secondaryHoverBackground': '#ffffff',
    'badge-background': '#0f4a85', 'badge-foreground': '#ffffff', 'progressBar-background': '#0f4a85',
    'charts-red': '#b5200d', 'charts-yellow': '#895503', 'charts-blue': '#1a85ff', 'editorWidget-background': '#ffffff', 'editorWidget-border': '#0f4a85', 'dropdown-background': '#ffffff', 'dropdown-foreground': '#292929', 'dropdown-border': '#0f4a85',
    'inputOption-activeBackground': '#00000000', 'inputOption-activeForeground': '#292929', 'inputOption-activeBorder': '#0f4a85', 'tree-indentGuidesStroke': '#a5a5a5', 'errorForeground': '#b5200d',
  },
};
