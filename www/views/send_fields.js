// @ts-check
/* The parts of the send form: fields with their limits, lucky amounts to tap, covers to choose. What the form means is
 * lib/send_form.js; what it does is send.js. */
import {claimsOf} from '../lib/browser_storage.js';
import {emptyFields, LUCKY_FEN} from '../lib/send_form.js';
import {expiryChoices} from '../lib/site.js';
import {h} from './dom.js';

/* Fields that can be at fault, each with a place of its own for the words. */
const WITH_FAULT = ['amount', 'shares', 'greeting', 'ids', 'expires'];

/** @param {import('../types').App} app */
export function blankFields(app) {
    return emptyFields(expiryChoices(app.site).initial);
}

/**
 * What stands for an empty greeting: the site's, where its operator has chosen one, else the reader's language's.
 * @param {import('../types').App} app
 */
export function defaultGreeting(app) {
    const own = app.i18n.t('send.greeting.default');
    const site = app.site?.defaults?.greeting;
    return site && site !== '恭喜发财，大吉大利' ? site : own;
}

/**
 * What the money is called behind a number.
 * @param {import('../types').App} app
 */
export function moneyUnit(app) {
    const currency = app.store.currency();
    return currency === 'CNY' ? app.i18n.t('send.yuan') : currency;
}

/* A label, a control and a unit in one line, and below it what is wrong. */
function row({t}, name, control, {unit = null, label = t('send.' + name)} = /** @type {any} */ ({})) {
    return h('div', {class: 'field-with-fault'},
        h('div', {class: 'field'},
            h('label', {for: name, id: name + '-label'}, label), control,
            unit !== null && h('span', {class: 'unit', id: name + '-unit'}, unit)),
        WITH_FAULT.includes(name) && h('p', {class: 'fault', id: 'fault-' + name}));
}

/**
 * The form's parts, filled from fields.
 * @param {import('../types').App} app
 * @param {ReturnType<typeof emptyFields>} fields
 */
export function buildParts(app, fields) {
    const {t} = app.i18n;
    const parts = {
        hint: h('p', {class: 'soft hint-line', id: 'hint'}),
        sum: h('p', {class: 'sum', id: 'sum'}),
        button: h('button', {class: 'button gold wide', type: 'submit', 'data-do': 'send'}, t('send.go')),
        said: h('p', {class: 'said center', id: 'said', role: 'status'}),
        fault: h('p', {class: 'fault', id: 'fault', role: 'alert'}),
        trouble: h('div', {class: 'send-trouble'}),
        preview: h('div', {class: 'send-preview', 'aria-hidden': 'true'}),
    };
    const fieldset = h('fieldset', null, h('legend', {class: 'unseen'}, t('send.title')),
        buildFields(app, fields, parts.hint), parts.fault, parts.sum, parts.button, parts.said);
    const form = h('form', {class: 'card send-form', novalidate: true},
        h('h1', {tabindex: -1, 'data-first-focus': true}, t('send.title')), fieldset, parts.trouble);
    return {...parts, fieldset, form};
}

function buildFields(app, fields, hint) {
    const {i18n} = app;
    const {t} = i18n;
    const input = (name, more) => h('input', {id: name, name, autocomplete: 'off', value: fields[name], ...more});
    const select = (name, values, words) => h('select', {id: name, name}, values.map((value) =>
        h('option', {value, selected: fields[name] === String(value)}, words(value))));
    const mode = (name) => h('label', {class: 'tab'},
        h('input', {type: 'radio', name: 'mode', value: name, checked: fields.mode === name}),
        h('span', null, t('mode.' + name)));
    const guest = claimsOf(app.store.token())?.sub.startsWith('guest:');
    const limits = app.site?.limits ?? {};
    const most = (name) => (limits[name] ? t('send.most', {n: limits[name]}) : '0');
    return [
        h('div', {class: 'segments', role: 'radiogroup', 'aria-label': t('send.mode')}, mode('lucky'), mode('equal')),
        h('div', {class: 'fields'},
            row(i18n, 'amount', input('amount', {inputmode: 'decimal', placeholder: '0.00', enterkeyhint: 'next'}),
                {unit: moneyUnit(app), label: t('send.total')}),
            row(i18n, 'shares', input('shares', {inputmode: 'numeric', placeholder: most('shares_max')}),
                {unit: t('send.shares.unit') || null})),
        luckyAmounts(app),
        hint,
        h('div', {class: 'fields'},
            row(i18n, 'greeting', input('greeting', {
                maxlength: limits.greeting_max ?? 50, placeholder: defaultGreeting(app), dir: 'auto'}))),
        themes(app, fields),
        h('div', {class: 'fields'},
            row(i18n, 'expires', select('expires', expiryChoices(app.site).choices, (s) => i18n.duration(s))),
            row(i18n, 'to', select('to', guest ? ['link'] : ['link', 'users', 'group'], (to) => t('send.to.' + to))),
            row(i18n, 'ids', input('ids', {autocapitalize: 'off', spellcheck: 'false'}))),
    ];
}

function luckyAmounts(app) {
    const {t} = app.i18n;
    return h('div', {class: 'lucky-amounts', role: 'group', 'aria-label': t('send.lucky')}, LUCKY_FEN.map((fen) =>
        h('button', {type: 'button', class: 'chip', 'data-do': 'lucky', 'data-fen': fen}, app.yuan(fen))));
}

/* The covers that the service knows; none where it knows none. */
function themes(app, fields) {
    const {t, has} = app.i18n;
    const known = (app.site?.themes ?? []).filter((name) => has('theme.' + name));
    return known.length > 0 && h('div', {class: 'themes', role: 'radiogroup', 'aria-label': t('send.theme')},
        known.map((name) => h('label', {class: 'theme-choice', 'data-theme': name},
            h('input', {type: 'radio', name: 'theme', value: name, checked: (fields.theme || known[0]) === name}),
            h('span', {class: 'small-packet', 'aria-hidden': 'true'}), h('span', null, t('theme.' + name)))));
}

/* Marks the field at fault and says why, next to it; null takes all back. */
export function blame({form, fault}, name, words = '') {
    form.querySelectorAll('[aria-invalid]').forEach((node) => {
        node.removeAttribute('aria-invalid');
        node.removeAttribute('aria-describedby');
    });
    form.querySelectorAll('.fault').forEach((node) => {
        node.textContent = '';
    });
    const control = name && form.elements[name];
    const place = control && form.querySelector('#fault-' + name);
    if (!place) {
        fault.textContent = words;
        return;
    }
    place.textContent = words;
    control.setAttribute('aria-invalid', 'true');
    control.setAttribute('aria-describedby', place.id);
    control.focus();
}
