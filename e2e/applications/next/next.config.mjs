/** Above the packages, which lie outside of the application's folder when the tests run. */
const root = "/";

export default { turbopack: { root }, outputFileTracingRoot: root };
