/** The port through which a proof is spent. One store for all guards of a resource. */
export interface SingleUse {
  /**
   * Claims a key through the whole second `expiresAt` (NumericDate): the last in which what is claimed could be
   * accepted. True the first time, false while it is claimed.
   * Of several callers at once exactly one gets true. Durable when it returns.
   * @throws AgenticError ERR_REPLAY_STORE when it cannot tell: a full or failing store refuses, and so does one by whose
   *   clock `expiresAt` has passed, since it would hold nothing
   */
  claim(key: string, expiresAt: number): Promise<boolean>
}
