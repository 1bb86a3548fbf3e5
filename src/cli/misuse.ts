// Words that commander understands and we do not: whoever typed them is told why.

export class Misuse extends Error {}
