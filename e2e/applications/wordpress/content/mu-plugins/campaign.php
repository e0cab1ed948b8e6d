<?php
/** What plugins do: a vendor's script with data and lines of its own, a script of the site, and a nonce. */
add_action( 'wp_enqueue_scripts', function () {
	wp_enqueue_script( 'campaign', 'https://campaign.example/vendor.js', array(), '1' );
	wp_localize_script( 'campaign', 'campaign', array( 'ran' => array() ) );
	wp_add_inline_script( 'campaign', 'campaign.ran.push( "before" );', 'before' );
	wp_add_inline_script( 'campaign', 'campaign.ran.push( window.vendor ? "after" : "too early" );' );
	wp_enqueue_script( 'shop', content_url( 'shop.js' ), array(), '1' );
} );
add_action( 'wp_head', function () {
	echo '<script>window.first = document.querySelector( "script" ).src;</script>';
}, 1 );
add_filter( 'wp_script_attributes', function ( $attributes ) {
	return isset( $_GET['nonce'] ) ? array_merge( $attributes, array( 'nonce' => 'abc' ) ) : $attributes;
} );
