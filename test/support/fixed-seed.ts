import { configureGlobal } from "fast-check";

// In CI the same commit gets the same verdict. Everywhere else each run draws inputs of its own, and prints the
// seed of what fails.
if (process.env.CI) configureGlobal({ seed: 20 });
