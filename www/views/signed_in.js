// @ts-check
/* The views that follow signing in, in one module, so that all of them are one request. Naming the start among their
 * parts makes a bundler put the start and what they share with it into one file (scripts/build_page). */
import '../main.js';

export {envelopeView} from './envelope.js';
export {historyView} from './history.js';
export {sendView} from './send.js';
export {rushView} from './rush.js';
export {shareView} from './share.js';
export {wallView} from './wall.js';
