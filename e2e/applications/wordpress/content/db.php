<?php
/** A database with nothing in it but the options a page needs, which WordPress takes for its own. */
$GLOBALS['wpdb'] = new class( '', '', '', '' ) extends wpdb {
	public function db_connect( $allow_bail = true ) {
		return true;
	}

	public function check_connection( $allow_bail = true ) {
		return true;
	}

	public function _real_escape( $data ) {
		return addslashes( $data );
	}

	public function db_version() {
		return '8.0';
	}

	public function query( $query ) {
		$address = 'http://' . $_SERVER['HTTP_HOST'];
		$options = array(
			'siteurl'       => $address,
			'home'          => $address,
			'template'      => 'parent',
			'stylesheet'    => 'child',
			'wp_user_roles' => serialize( array() ),
			'html_type'     => 'text/html',
			'blog_charset'  => 'UTF-8',
		);
		// The options are asked for all at once; what is then not among them is asked for by name.
		$is_all = str_starts_with( $query, "SELECT option_name, option_value FROM {$this->options} " );
		$this->last_result = array();
		foreach ( $is_all ? $options : array() as $name => $value ) {
			$this->last_result[] = (object) array(
				'option_name'  => $name,
				'option_value' => $value,
			);
		}
		return count( $this->last_result );
	}
};
