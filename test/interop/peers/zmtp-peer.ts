import * as zmtp from "../../../src/index.ts";
import { serve } from "./serve.ts";
import { type Library, Station } from "./station.ts";

// This library in a process of its own, so that it can be killed.
serve((onEvent) => new Station(zmtp as unknown as Library, onEvent));
