/** Base64, in Node and in the browser alike. */
/** Bytes of standard base64 text, or undefined when it is not. */
export function base64Bytes(text) {
    try {
        const binary = atob(text);
        const bytes = new Uint8Array(binary.length);
        for (let i = 0; i < binary.length; i++)
            bytes[i] = binary.charCodeAt(i);
        return bytes;
    }
    catch {
        return undefined;
    }
}
