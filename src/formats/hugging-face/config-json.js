const floatKeys = /(epsilon|_eps|dropout|pdrop|layerdrop|softcapping|_range|init_std|_theta|_base_freq|factor|_pct|mscale|mscale_all_dim|beta_fast|beta_slow|temperature|top_p|typical_p|min_p|penalty)$/;
/** @returns text with two spaces of indentation and a final line break, as transformers writes it */
export function configJson(values) {
    return `${valueText(values, "", "")}\n`;
}
/** @param key - of the value, or of the list that it stands in */
function valueText(value, key, indent) {
    const inner = `${indent}  `;
    if (typeof value === "number")
        return numberText(value, floatKeys.test(key));
    if (Array.isArray(value)) {
        return listText("[", "]", value.map((item) => valueText(item ?? null, key, inner)), indent);
    }
    if (typeof value === "object" && value !== null) {
        const members = Object.entries(value).filter(([, member]) => member !== undefined);
        const texts = members.map(([name, member]) => `${JSON.stringify(name)}: ${valueText(member, name, inner)}`);
        return listText("{", "}", texts, indent);
    }
    return JSON.stringify(value);
}
function listText(open, close, items, indent) {
    if (items.length === 0)
        return open + close;
    return `${open}\n${items.map((item) => `${indent}  ${item}`).join(",\n")}\n${indent}${close}`;
}
function numberText(value, float) {
    const text = JSON.stringify(value);
    return float && /^-?\d+$/.test(text) ? `${text}.0` : text;
}
