// @ts-check
/* Thanks to the sender with one tap, after opening: one word of those that the service knows, and the last one counts. */
import {persist} from '../lib/retry.js';
import {h} from './dom.js';
import {panelCodeOf} from './error_panel.js';

const SIGNS = {thanks: '🙏', hug: '🤗', luck: '🍀', cheers: '🥂', wow: '🤩'};

/**
 * A word of thanks as it is shown; null for one that this page does not know.
 * @param {import('../types').I18n} i18n
 * @param {string | null | undefined} word
 */
export function thanksText({t}, word) {
    return word && word in SIGNS ? [h('span', {'aria-hidden': 'true'}, SIGNS[word] + ' '), t('thanks.' + word)] : null;
}

/* The words to tap; nothing where the service knows none. place: that of envelope.js. */
export function thanksBar(place) {
    const {app, visit} = place;
    const known = (app.site?.thanks ?? []).filter((word) => word in SIGNS);
    return known.length > 0 && h('div', {class: 'thanks', role: 'group', 'aria-label': app.i18n.t('thanks.title')},
        known.map((word) => h('button', {
            type: 'button', class: 'chip', 'data-do': 'thank', 'data-word': word, 'data-hold': 'thank-' + word,
            'aria-pressed': String(ownThanks(visit) === word), onclick: () => thank(place, word),
        }, thanksText(app.i18n, word))));
}

/* The reader's own thanks, or null. @param {{known: any}} visit */
export function ownThanks({known: {claims, mine, thanks}}) {
    return thanks ?? claims.find((claim) => claim.seq === mine?.seq)?.thanks ?? null;
}

async function thank({app, id, visit, redraw, watch}, word) {
    const {t} = app.i18n;
    try {
        await persist(() => app.api.thank(id, word), {tries: 4, pause: app.pause});
        visit.known.thanks = word;
        app.announce(t('thanks.said'));
        redraw();
        watch.poke();
    } catch (error) {
        const code = panelCodeOf(error);
        app.toast(t(`trouble.${app.i18n.has(`trouble.${code}.title`) ? code : 'other'}.title`));
    }
}
