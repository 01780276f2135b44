// @ts-check
/* The red envelope itself, as it looks in each state. Draws only; what a tap does is passed in. */
import {amountParts, avatar, fill, h, icon, spoken, written} from './dom.js';

/* Who sends it and what it says: the part that everybody sees. */
function packetFace({t, pieces}, {sender, greeting, mode}, heading) {
    return h('div', {class: 'face'},
        avatar(sender.name, 'gilt'),
        h('p', {class: 'from'}, pieces('envelope.of', {name: written(sender.name)})),
        h(heading, {class: 'greeting', ...spoken(greeting)}, greeting),
        h('p', {class: 'kind'}, t('mode.' + mode)));
}

/**
 * The red cover around `heart`.
 * @param {import('../types').I18n} i18n
 * @param {{sender: {name: string}, mode: import('../types').Mode, greeting: string, theme?: string}} envelope
 * @param {{state: string, heart: any, onGrab?: () => void, heading?: 'h1' | 'p'}} options onGrab makes the whole of it
 *     one button; heading: the greeting's tag
 */
export function packetCover(i18n, envelope, {state, heart, onGrab, heading = 'h1'}) {
    const label = () => i18n.t('envelope.grab.label', {name: envelope.sender.name, greeting: envelope.greeting});
    return h('section', {class: 'packet ' + state, 'data-theme': envelope.theme ?? null},
        packetFace(i18n, envelope, heading),
        h('div', {class: 'heart'}, heart),
        onGrab && h('button', {class: 'stretch', 'data-do': 'grab', 'data-hold': 'grab', 'aria-label': label(), onclick: onGrab}));
}

/* The seal of an envelope that nobody has grabbed here. */
export function seal(hint) {
    return [h('div', {class: 'seal', 'aria-hidden': 'true'}, '福'), h('p', {class: 'hint'}, hint)];
}

/* The gold coin that opens. */
export function coin({t}, onOpen) {
    return h('button', {
        class: 'coin', 'data-do': 'open', 'data-hold': 'coin', 'aria-label': t('envelope.open.label'), onclick: onOpen,
    },
        h('span', {class: 'coin-face', 'aria-hidden': 'true'}, '開'));
}

/* The slip with the amount that comes out of the opened cover. */
export function packetOpened(i18n, envelope, {fen, currency}) {
    const {t} = i18n;
    return h('section', {class: 'packet-open', 'data-theme': envelope.theme ?? null},
        h('div', {class: 'back'}),
        h('div', {class: 'slip'},
            avatar(envelope.sender.name, 'gilt'),
            h('p', {class: 'from'}, i18n.pieces('envelope.of', {name: written(envelope.sender.name)})),
            h('h1', {class: 'greeting', ...spoken(envelope.greeting)}, envelope.greeting),
            h('p', {class: 'amount', id: 'mine', tabindex: -1, 'data-hold': 'mine', 'data-fen': fen},
                h('span', {class: 'unseen'}, i18n.money(fen, currency)),
                h('span', {'aria-hidden': 'true'}, amountParts(i18n, fen, currency))),
            h('p', {class: 'paid', id: 'paid'}),
            h('p', {class: 'best', hidden: true}, icon('crown'), h('span', null, t('envelope.luckiest')))),
        h('div', {class: 'pocket', 'aria-hidden': 'true'}));
}

/* What becomes known of an opened share later: whether the money has arrived, and that it was the luckiest. */
export function markOpened({t}, node, {credited, luckiest}) {
    fill(node.querySelector('#paid'), icon(credited ? 'check' : 'clock'),
        h('span', null, t(credited ? 'envelope.credited' : 'envelope.pending')));
    node.querySelector('.best').hidden = !luckiest;
}
