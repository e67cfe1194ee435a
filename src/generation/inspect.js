/** Looking inside: the program that generates, compiled once more with some of its results kept. */
import { rowWidth } from "../graph/tensor.js";
/** @throws InvalidValueError for a name that the model's graph does not have */
export async function inspect(engine, input, names) {
    const { source, target } = "source" in input ? input : { source: undefined, target: input };
    const program = engine.network.compileInspection(names, target.length);
    try {
        const sequence = await engine.sequence(source);
        try {
            const collected = new Collected(program, names, target.length);
            const onRun = (_, tokens) => collected.take(tokens);
            await engine.advance([{ sequence, ids: target, outputs: "all" }], { program, onRun });
            return collected.results;
        }
        finally {
            sequence.dispose();
        }
    }
    finally {
        program.dispose();
    }
}
/** Gathers the rows of every run. Results of the output head have one row per output; here every token has one. */
class Collected {
    program;
    names;
    tokens;
    results = new Map();
    #done = 0;
    constructor(program, names, tokens) {
        this.program = program;
        this.names = names;
        this.tokens = tokens;
        for (const name of names) {
            const width = rowWidth(program.graph.graph.find(name));
            this.results.set(name, { shape: [tokens, width], values: new Float32Array(tokens * width) });
        }
    }
    take(tokens) {
        for (const name of this.names) {
            const { shape, values } = this.results.get(name);
            values.set(this.program.kept(name).subarray(0, tokens * shape[1]), this.#done * shape[1]);
        }
        this.#done += tokens;
    }
}
