/* The style of the page. Colours are written in palette.css and nowhere else. */
import {BROWSERS} from './browsers.mjs';

/* What old browsers leave out without harm: they draw their own ring around what has the focus, lines closer together,
 * and long lists at once. */
const DECORATION = [
    'css-content-visibility', 'css-focus-visible', 'css-has', 'css-text-align-last', 'css-touch-action', 'flexbox-gap',
    'text-size-adjust', 'viewport-unit-variants',
];

export default {
    extends: ['stylelint-config-standard'],
    plugins: ['stylelint-no-unsupported-browser-features'],
    rules: {
        'plugin/no-unsupported-browser-features': [true, {
            browsers: BROWSERS, ignorePartialSupport: true, ignore: DECORATION,
        }],
        'color-no-hex': true,
        'function-disallowed-list': ['rgb', 'rgba', 'hsl', 'hsla', 'hwb', 'lab', 'lch', 'oklab', 'oklch', 'color'],
        'color-named': ['never', {ignore: ['inside-function']}],
        'selector-max-id': 1,
        'max-nesting-depth': 1,
        'no-descending-specificity': null,
        'selector-id-pattern': '^[a-z][a-z0-9-]*$',
        'custom-property-empty-line-before': null,
        'declaration-empty-line-before': null,
        'import-notation': 'url',
        'media-feature-range-notation': 'prefix',
        'selector-class-pattern': null,
        'value-keyword-case': ['lower', {ignoreProperties: [/^--/]}],
        'declaration-block-single-line-max-declarations': 1,
        'property-no-vendor-prefix': [true, {ignoreProperties: ['text-size-adjust', 'appearance']}],
    },
    overrides: [{
        files: ['**/palette.css', '**/themes.css'],
        rules: {'color-no-hex': null, 'function-disallowed-list': null},
    }],
};
