/* The JavaScript of the page and of its tests. Modules in www/lib know nothing of a document. */
import js from '@eslint/js';
import compat from 'eslint-plugin-compat';
import globals from 'globals';
import {BROWSERS} from './browsers.mjs';

const MARKUP = [{property: 'innerHTML'}, {property: 'outerHTML'}, {property: 'insertAdjacentHTML'},
    {object: 'document', property: 'write'}].map((use) => ({...use, message: 'Text becomes text nodes, never markup.'}));
/* Methods younger than the oldest browsers, of objects whose kind the linter cannot see. */
const YOUNG = ['replaceChildren', 'replaceAll', 'findLast', 'throwIfAborted', 'hasOwn', 'toSorted', 'checkVisibility',
    'getBigUint64', 'requestSubmit', 'showPicker'];

const rules = {
    'curly': 'error',
    'eqeqeq': 'error',
    'max-lines': ['error', 350],
    'max-lines-per-function': ['error', {max: 70, skipComments: true}],
    'no-console': 'error',
    'no-implicit-globals': 'error',
    'no-restricted-properties': ['error', ...MARKUP],
    'no-eval': 'error',
    'no-implied-eval': 'error',
    'no-new-func': 'error',
    'no-shadow': 'error',
    'no-use-before-define': ['error', {functions: false, classes: false, variables: false}],
    'no-var': 'error',
    'prefer-const': 'error',
};

export default [
    {ignores: ['**/vendor/', 'build*/', 'var/']},
    js.configs.recommended,
    {linterOptions: {reportUnusedDisableDirectives: 'error'}, rules},
    /* What is used without asking whether it is there must be there in the oldest browsers; what is asked for first is
     * named here. */
    {
        files: ['www/**/*.js'],
        ...compat.configs['flat/recommended'],
        languageOptions: {globals: globals.browser},
        rules: {
            ...compat.configs['flat/recommended'].rules,
            'no-restricted-properties': ['error', ...MARKUP, ...YOUNG.map((property) =>
                ({property, message: 'Not in the oldest browsers.'}))],
        },
        settings: {browsers: BROWSERS, lintAllEsApis: true, polyfills: [
            'navigator.serviceWorker', 'caches', 'IntersectionObserver', 'AudioContext', 'navigator.vibrate',
        ]},
    },
    /* Written for browsers that are too old for the page. */
    {
        files: ['www/boot.js'],
        languageOptions: {ecmaVersion: 5, sourceType: 'script'},
        rules: {
            'no-var': 'off', 'prefer-const': 'off', 'no-implicit-globals': 'off',
            'no-unused-vars': ['error', {caughtErrors: 'none'}],
        },
    },
    {
        files: ['www/lib/**/*.js'],
        languageOptions: {globals: {
            ...Object.fromEntries(Object.keys(globals.browser).map((name) => [name, 'off'])),
            ...globals['shared-node-browser'],
        }},
    },
    {files: ['clients/**/*.js'], languageOptions: {globals: globals['shared-node-browser']}},
    {files: ['tests/**/*.mjs'], languageOptions: {globals: globals.node}},
    /* Bodies of functions that the browser tests run in the page. */
    {
        files: ['tests/browser/*.js'],
        languageOptions: {
            globals: globals.browser, sourceType: 'script', parserOptions: {ecmaFeatures: {globalReturn: true}},
        },
        rules: {'no-implicit-globals': 'off'},
    },
    {files: ['tests/browser/sight.js'], rules: {'no-unused-vars': 'off'}},
    {
        files: ['tests/browser/{layout,contrast}.js'],
        languageOptions: {globals: Object.fromEntries(
            ['dialogs', 'root', 'SHOWN', 'clips', 'scrolls', 'forReaders', 'visibleLines'].map((name) => [name, 'readonly']))},
    },
];
