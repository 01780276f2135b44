// @ts-check
/* What this installation allows: guests or not, currency, limits, defaults. The page works where the service does not
 * tell; then nothing is said before the service itself refuses it. */
import {createApi} from './api.js';

const PATIENCE_MS = 1500;
const FRESH_MS = 600000;
const CHOICES_S = [600, 3600, 86400, 259200, 604800];

/**
 * Resolves to what the site allows, or null. What was known at the last visit is given at once, and renewed for the next
 * if it is old; the first visit waits a moment for it.
 * @param {{base: URL, store: import('../types').Storage, ahead?: import('../types').Ahead[]}} given
 * @returns {Promise<import('../types').Site | null>}
 */
export function loadSite({base, store, ahead}) {
    const known = store.site();
    if (known && store.siteAge() >= 0 && store.siteAge() < FRESH_MS) {
        return Promise.resolve(known);
    }
    const asked = createApi({base, token: () => null, ahead}).site().then(({body}) => {
        store.keepSite(body);
        return body;
    }, (error) => {
        if (error.code === 'not_found') {
            store.keepSite(null);
        }
        return null;
    });
    const late = new Promise((resolve) => setTimeout(() => resolve(null), PATIENCE_MS));
    return known ? Promise.resolve(known) : Promise.race([asked, late]);
}

/* Whether guests may come in; true where it is not known. @param {import('../types').Site | null} site */
export function admitsGuests(site) {
    return site?.demo !== false;
}

/**
 * The times that an envelope may stay open, in seconds, and the one to begin with.
 * @param {import('../types').Site | null} site
 */
export function expiryChoices(site) {
    const {expires_min: least = 3600, expires_max: most = 259200} = site?.limits ?? {};
    const wanted = site?.defaults?.expires_in ?? 86400;
    const choices = CHOICES_S.filter((s) => s >= Math.max(least, site ? 0 : 3600) && s <= most);
    const all = [...new Set([...choices, Math.min(Math.max(wanted, least), most)])].sort((a, b) => a - b);
    return {choices: all, initial: Math.min(Math.max(wanted, least), most)};
}
