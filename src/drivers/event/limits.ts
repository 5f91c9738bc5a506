/**
 * What one message may hold, the same in both directions and both wire forms, so that what we send we can read.
 * Dragonflow's events are flat: the objects themselves travel as JSON text, which counts as one string.
 */

/** Containers within containers; the event itself is the first. */
export const MAX_DEPTH = 16;
/** Entries of all arrays and maps of one message together. */
export const MAX_ELEMENTS = 1024;
