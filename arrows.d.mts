export const arrows: Readonly<Record<string, readonly string[]>>
export const portsOnly: Readonly<Record<string, readonly string[]>>
export const loose: readonly string[]
