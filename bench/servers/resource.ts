/** As long as what libcoap's server answers for /time. */
export const RESOURCE_TEXT = "Nov 20 05:55:03";
