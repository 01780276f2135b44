/* The JavaScript of the page and of its tests. Modules in www/lib know nothing of a document. */
import js from '@eslint/js';
import globals from 'globals';

const rules = {
    'curly': 'error',
    'eqeqeq': 'error',
    'max-lines': ['error', 350],
    'max-lines-per-function': ['error', {max: 70, skipComments: true}],
    'no-console': 'error',
    'no-implicit-globals': 'error',
    'no-restricted-properties': ['error',
        {property: 'innerHTML', message: 'Text becomes text nodes, never markup.'},
        {property: 'outerHTML', message: 'Text becomes text nodes, never markup.'},
        {property: 'insertAdjacentHTML', message: 'Text becomes text nodes, never markup.'},
        {object: 'document', property: 'write', message: 'Text becomes text nodes, never markup.'}],
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
    {files: ['www/**/*.js'], languageOptions: {globals: globals.browser}},
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
