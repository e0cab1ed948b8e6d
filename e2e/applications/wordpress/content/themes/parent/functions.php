<?php
// Without this WordPress writes type='text/javascript' into every script tag.
if ( isset( $_GET['html5'] ) ) {
	add_theme_support( 'html5', array( 'script' ) );
}
