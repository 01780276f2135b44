// @ts-check
/* What makes winning felt: confetti, a soft vibration, a sound. Each is left out where it is unwanted
 * (reduced motion, sound is off unless switched on) or not there. */

import {prefersStillness} from './dom.js';

const COLOURS = ['#f6cf74', '#ffe9b0', '#e9483f', '#c8232a', '#fff6df'];

/* Fetches what celebrate() needs, so that it does not come late. */
export function prepare() {
    return prefersStillness() ? null : import('../vendor/canvas-confetti-1.9.4/confetti.js');
}

/**
 * Throw confetti from the middle of `from`, once. Resolves when it is over.
 * @param {HTMLElement} from
 * @param {{sound: AudioContext | null}} options
 */
export async function celebrate(from, {sound}) {
    navigator.vibrate?.([24, 60, 36]);
    if (sound) {
        chime(sound);
    }
    if (prefersStillness()) {
        return;
    }
    const library = await prepare()?.catch(() => null);
    if (!library) {
        return;
    }
    const box = from.getBoundingClientRect();
    const canvas = document.createElement('canvas');
    canvas.className = 'confetti';
    canvas.setAttribute('aria-hidden', 'true');
    document.body.append(canvas);
    const fire = library.create(canvas, {resize: true, useWorker: false, disableForReducedMotion: true});
    const origin = {
        x: (box.left + box.width / 2) / window.innerWidth,
        y: Math.min(0.9, Math.max(0.1, (box.top + box.height / 2) / window.innerHeight)),
    };
    const shot = (options) => fire({origin, colors: COLOURS, ticks: 160, gravity: 0.9, ...options});
    await Promise.all([
        shot({particleCount: 46, spread: 80, startVelocity: 34, scalar: 0.9}),
        shot({particleCount: 26, spread: 130, startVelocity: 24, scalar: 1.15, shapes: ['circle']}),
    ]);
    canvas.remove();
}

/**
 * What will sound, or null. Made within a tap: browsers keep silent what is made later.
 * @param {boolean} wanted
 * @returns {AudioContext | null}
 */
export function prepareSound(wanted) {
    const Context = window.AudioContext ?? /** @type {any} */ (window).webkitAudioContext;
    return wanted && Context ? new Context() : null;
}

/** Two soft bell tones, made on the spot. @param {AudioContext} sounding */
function chime(sounding) {
    [[880, 0], [1318.5, 0.12]].forEach(([pitch, delay]) => {
        const start = sounding.currentTime + delay;
        const tone = sounding.createOscillator();
        const volume = sounding.createGain();
        tone.frequency.value = pitch;
        volume.gain.setValueAtTime(0.0001, start);
        volume.gain.exponentialRampToValueAtTime(0.12, start + 0.02);
        volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.9);
        tone.connect(volume).connect(sounding.destination);
        tone.start(start);
        tone.stop(start + 1);
    });
    setTimeout(() => sounding.close(), 1500);
}
