// @ts-check
/* A QR code as a picture: a PNG in a data address, so that a long press can save it. */
import {qrcode} from '../vendor/qrcode-generator-2.0.4/qrcode.js';

const PIXELS = 8;
const QUIET = 4;

/* text: of ASCII characters (an address). Gives the address of a black and white PNG. */
export function qrPicture(text) {
    const code = qrcode(0, 'M');
    code.addData(text, 'Byte');
    code.make();
    const modules = code.getModuleCount();
    const size = (modules + 2 * QUIET) * PIXELS;
    const canvas = document.createElement('canvas');
    canvas.width = size;
    canvas.height = size;
    const paint = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    paint.fillStyle = '#fff';
    paint.fillRect(0, 0, size, size);
    paint.fillStyle = '#000';
    for (let row = 0; row < modules; row++) {
        for (let column = 0; column < modules; column++) {
            if (code.isDark(row, column)) {
                paint.fillRect((column + QUIET) * PIXELS, (row + QUIET) * PIXELS, PIXELS, PIXELS);
            }
        }
    }
    return canvas.toDataURL('image/png');
}
