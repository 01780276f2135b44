// @ts-check
/* Which view each address shows. All but the first ones are fetched when they are needed. */
import {errorPanel} from './views/error_panel.js';
import {previewView} from './views/signin.js';

const signedIn = () => import('./views/signed_in.js');

/**
 * A view whose module is fetched when it is first shown.
 * @param {() => Promise<any>} load
 * @param {(module: any) => import('./types').View} pick
 * @returns {import('./types').View}
 */
function later(load, pick) {
    return async (app, params, signal) => {
        const module = await load().catch(() => null);
        return module ? pick(module)(app, params, signal) : missingView(app);
    };
}

/**
 * Shown where a module could not be fetched. A document never fetches it again, so the way on is to load the page
 * again; offline that would lose the page, so it waits until the browser is back.
 * @param {import('./types').App} app
 */
function missingView(app) {
    const reload = () => window.location.reload();
    const again = () => (navigator.onLine === false ? window.addEventListener('online', reload, {once: true}) : reload());
    return {
        title: app.i18n.t('app'),
        data: {view: 'missing', state: 'trouble'},
        node: errorPanel(app, 'offline', {again}),
    };
}

/** Fetch the views that follow signing in, so that they are there when they are wanted. */
export function fetchAhead() {
    signedIn().catch(() => undefined);
}

const envelope = later(signedIn, (m) => m.envelopeView);
/** @type {import('./types').View} */
const eitherEnvelope = (app, params, signal) => (app.store.token() ? envelope : previewView)(app, params, signal);
const share = later(signedIn, (m) => m.shareView);
const send = later(signedIn, (m) => m.sendView);
const rush = later(signedIn, (m) => m.rushView);
const wall = later(signedIn, (m) => m.wallView);
const history = (kind) => later(signedIn, (m) => m.historyView(kind));

/** The first that matches is shown. @type {import('./types').Route[]} */
export const ROUTES = [
    {match: (p) => p.get('v') === 'rush', view: rush, open: true},
    {match: (p, state) => p.has('e') && (p.has('share') || state?.share === true), view: share},
    {match: (p) => p.has('e') && p.has('wall'), view: wall},
    {match: (p) => p.has('e'), view: eitherEnvelope, open: true},
    {match: (p) => p.get('v') === 'sent', view: history('sent')},
    {match: (p) => p.get('v') === 'received', view: history('received')},
    {match: (p) => p.get('v') === 'ledger', view: history('ledger')},
    {match: () => true, view: send},
];
