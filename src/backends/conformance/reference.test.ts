/** The reference backend is the definition: here the suite tests itself, and the slicing of live rows. */
import { describeConformance, referenceBackend } from "./conformance.js";

describeConformance("reference", async () => referenceBackend);
