// @ts-check
/* Which view each address shows, and the modules of those that are fetched when they are needed. */
import {previewView} from './views/signin.js';
import {errorPanel} from './views/error_panel.js';

/**
 * A view whose module is fetched when it is first shown.
 * @param {(module: any) => import('./types').View} pick
 * @param {() => Promise<any>[]} load imports of its module, and of those that it imports: all are fetched at once
 * @returns {import('./types').View}
 */
function later(pick, load) {
    return async (app, params, signal) => {
        const modules = await Promise.all(load()).catch(() => null);
        return modules ? pick(modules[0])(app, params, signal) : {
            title: app.i18n.t('app'),
            data: {view: 'missing', state: 'trouble'},
            node: errorPanel(app, 'offline', {again: () => window.location.reload()}),
        };
    };
}

const envelope = later((m) => m.envelopeView, () => [
    import('./views/envelope.js'), import('./views/claim_list.js'), import('./views/celebration.js'),
    import('./lib/chart.js'), import('./lib/grab_open.js'), import('./lib/envelope_visit.js'),
    import('./lib/envelope_watch.js')]);
/** @type {import('./types').View} */
const eitherEnvelope = (app, params, signal) => (app.store.token() ? envelope : previewView)(app, params, signal);
const share = later((m) => m.shareView, () => [
    import('./views/share.js'), import('./views/qr.js'), import('./vendor/qrcode-generator-2.0.4/qrcode.js')]);
const send = later((m) => m.sendView, () => [import('./views/send.js'), import('./lib/send_form.js')]);
const rush = later((m) => m.rushView, () => [
    import('./views/rush.js'), import('./lib/rush_race.js'), import('./lib/chart.js'), import('./lib/grab_open.js')]);
const history = (kind) => later((m) => m.historyView(kind), () => [import('./views/history.js')]);

/** The first that matches is shown. @type {import('./types').Route[]} */
export const ROUTES = [
    {match: (p) => p.get('v') === 'rush', view: rush, open: true},
    {match: (p) => p.has('e') && p.has('share'), view: share},
    {match: (p) => p.has('e'), view: eitherEnvelope, open: true},
    {match: (p) => p.get('v') === 'sent', view: history('sent')},
    {match: (p) => p.get('v') === 'received', view: history('received')},
    {match: (p) => p.get('v') === 'ledger', view: history('ledger')},
    {match: () => true, view: send},
];
