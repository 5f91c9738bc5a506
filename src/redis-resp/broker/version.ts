/** The server whose replies these are. */
export const VERSION = "7.0.15";
