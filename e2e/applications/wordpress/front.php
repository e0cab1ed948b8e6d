<?php
/** Every page of a site: WordPress as it is, with the folder beside this file as its content. */
$path = parse_url( $_SERVER['REQUEST_URI'], PHP_URL_PATH );
if ( '/content/shop.js' === $path ) {
	return false; // The server sends the file itself.
}
define( 'ABSPATH', getenv( 'WORDPRESS' ) . '/' );
if ( preg_match( '#^/wp-includes/[\w/.-]+\.js$#', $path ) ) {
	header( 'Content-Type: text/javascript' );
	readfile( ABSPATH . $path );
	return;
}
define( 'WP_CONTENT_DIR', __DIR__ . '/content' );
define( 'WP_CONTENT_URL', 'http://' . $_SERVER['HTTP_HOST'] . '/content' );
define( 'DISABLE_WP_CRON', true );
define( 'WP_HTTP_BLOCK_EXTERNAL', true );
define( 'WP_USE_THEMES', true );
$table_prefix = 'wp_';
require ABSPATH . 'wp-settings.php';
wp();
require ABSPATH . WPINC . '/template-loader.php';
