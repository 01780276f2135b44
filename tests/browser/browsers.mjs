/* The oldest browsers in which the page works; scripts/build_page lowers syntax to the same ones. */
export const BROWSERS = ['chrome >= 80', 'safari >= 14', 'ios_saf >= 14', 'firefox >= 78'];
